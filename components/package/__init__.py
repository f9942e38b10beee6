"""Kestra as Pulumi components for programs of others, in every language of Pulumi (docs/package.md)."""
