"""The real servers of the sandbox."""

from sandbox.services.aws import AwsServer
from sandbox.services.external_secrets import ExternalSecrets
from sandbox.services.gcp import GoogleCloud
from sandbox.services.kubernetes import ControlPlane
from sandbox.services.process import Server, free_port
from sandbox.services.vault import Vault

__all__ = [
    "AwsServer",
    "ControlPlane",
    "ExternalSecrets",
    "GoogleCloud",
    "Server",
    "Vault",
    "free_port",
]
