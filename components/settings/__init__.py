"""What a stack may say: frozen models of Kestra's own keys."""

from components.settings.model import Settings
from components.settings.report import Problem, SettingsError, report

__all__ = ["Problem", "Settings", "SettingsError", "report"]
