"""`python -m components secret`: values that go into the secret manager past Pulumi's state."""
