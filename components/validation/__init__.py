"""From a stack file, or from Pulumi's configuration, to checked settings."""

from .loader import Loaded, load, load_file, load_stack
from .stack_file import read_file

__all__ = ["Loaded", "load", "load_file", "load_stack", "read_file"]
