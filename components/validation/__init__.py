"""From a stack file, or from Pulumi's configuration, to checked settings."""

from components.validation.loader import Loaded, load, load_file, load_stack
from components.validation.stack_file import read_file

__all__ = ["Loaded", "load", "load_file", "load_stack", "read_file"]
