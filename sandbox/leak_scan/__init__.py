"""The search for values of secrets in everything that a run leaves behind."""
