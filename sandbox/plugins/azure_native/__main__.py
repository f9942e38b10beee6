"""Serves the stand-in."""

from sandbox.plugins.azure_native.provider import AzurePlugin
from sandbox.plugins.server import serve

serve(AzurePlugin())
