"""Serves the stand-in."""

from sandbox.providers.aws.provider import AwsProvider
from sandbox.providers.runtime.servicer import serve

serve(AwsProvider())
