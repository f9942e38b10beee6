"""Serves the stand-in."""

from sandbox.plugins.gcp.provider import GcpPlugin
from sandbox.plugins.server import serve

serve(GcpPlugin())
