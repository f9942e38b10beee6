"""Kestra's security and secrets as Pulumi components."""
