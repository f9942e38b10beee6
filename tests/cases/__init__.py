"""Stack files as people write them, each with the verdict that it must get."""
