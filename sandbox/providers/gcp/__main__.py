"""Serves the stand-in."""

from sandbox.providers.gcp.provider import GcpPlugin
from sandbox.providers.server import serve

serve(GcpPlugin())
