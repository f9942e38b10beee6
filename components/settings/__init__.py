"""What a stack may say: frozen models of Kestra's own keys."""

from .model import Settings
from .report import Problem, SettingsError, report

__all__ = ["Problem", "Settings", "SettingsError", "report"]
