"""Serves the stand-in."""

from sandbox.providers.random.provider import RandomPlugin
from sandbox.providers.server import serve

serve(RandomPlugin())
