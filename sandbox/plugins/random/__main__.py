"""Serves the stand-in."""

from sandbox.plugins.random.provider import RandomPlugin
from sandbox.plugins.server import serve

serve(RandomPlugin())
