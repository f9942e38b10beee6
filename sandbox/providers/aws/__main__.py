"""Serves the stand-in."""

from sandbox.providers.aws.provider import AwsPlugin
from sandbox.providers.server import serve

serve(AwsPlugin())
