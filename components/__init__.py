"""Kestra's security and secrets as Pulumi components."""

__version__ = "0.1.0"
"""The version of this project; a release adds its states to the tests (docs/upgrade.md)."""
