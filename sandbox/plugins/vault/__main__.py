"""Serves the stand-in."""

from sandbox.plugins.server import serve
from sandbox.plugins.vault.provider import VaultPlugin

serve(VaultPlugin())
