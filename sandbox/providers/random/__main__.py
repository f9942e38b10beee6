"""Serves the stand-in."""

from sandbox.providers.random.provider import RandomProvider
from sandbox.providers.runtime.servicer import serve

serve(RandomProvider())
