"""Serves the stand-in."""

from sandbox.providers.azure_native.provider import AzurePlugin
from sandbox.providers.server import serve

serve(AzurePlugin())
