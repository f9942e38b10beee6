"""Kestra's secrets and security on Kubernetes; see README.md."""

from components.program import deploy

deploy()
