"""Serves the stand-in."""

from sandbox.providers.server import serve
from sandbox.providers.vault.provider import VaultPlugin

serve(VaultPlugin())
