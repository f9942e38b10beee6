"""Serves the stand-in."""

from sandbox.providers.kubernetes.provider import KubernetesProvider
from sandbox.providers.runtime.servicer import serve

serve(KubernetesProvider())
