"""What a stack may say: frozen models of Kestra's own keys, and the checks before deployment."""

from components.settings.loader import Loaded, load, load_file, load_stack, read_file
from components.settings.model import Settings
from components.settings.report import Problem, SettingsError, report

__all__ = [
    "Loaded",
    "Problem",
    "Settings",
    "SettingsError",
    "load",
    "load_file",
    "load_stack",
    "read_file",
    "report",
]
