"""HashiCorp Vault."""
