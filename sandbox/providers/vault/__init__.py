"""Stand-in for the official plugin `vault` (pulumi-vault 7.14), against a real Vault."""
