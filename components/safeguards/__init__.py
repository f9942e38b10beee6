"""What keeps an update from losing secrets, and says the way out of a refusal."""
