"""Managers that this project configures and does not provision."""
