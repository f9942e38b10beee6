"""Serves the stand-in."""

from sandbox.providers.runtime.servicer import serve
from sandbox.providers.vault.provider import VaultProvider

serve(VaultProvider())
