"""The real servers of the sandbox."""

from sandbox.services.kubernetes import ControlPlane
from sandbox.services.process import Server, free_port
from sandbox.services.vault import Vault

__all__ = ["ControlPlane", "Server", "Vault", "free_port"]
