"""A secret manager that does not exist: all that a backend of this project needs, in one folder."""
