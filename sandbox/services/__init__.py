"""The real servers of the sandbox."""

from sandbox.services.aws import AwsServer
from sandbox.services.gcp import GoogleCloud
from sandbox.services.kubernetes import ControlPlane
from sandbox.services.process import Server, free_port
from sandbox.services.vault import Vault

__all__ = ["AwsServer", "ControlPlane", "GoogleCloud", "Server", "Vault", "free_port"]
