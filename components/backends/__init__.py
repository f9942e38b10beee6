"""Secret managers, each with its store, its identity, its permissions and its rules."""
