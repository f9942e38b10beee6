"""Serves the stand-in."""

from sandbox.providers.gcp.provider import GoogleProvider
from sandbox.providers.runtime.servicer import serve

serve(GoogleProvider())
