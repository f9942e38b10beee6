"""Serves the stand-in."""

from sandbox.providers.azure_native.provider import AzureProvider
from sandbox.providers.runtime.servicer import serve

serve(AzureProvider())
