"""A stand-in for the official Kubernetes plugin, over the same provider protocol.

Accepts the inputs of ``pulumi-kubernetes`` 4.34 and gives its outputs, against a real API server.
Used by the sandbox only where ``pulumi-resource-kubernetes`` is not installed.
"""
