"""Serves the stand-in."""

from sandbox.plugins.aws.provider import AwsPlugin
from sandbox.plugins.server import serve

serve(AwsPlugin())
