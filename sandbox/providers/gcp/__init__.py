"""Stand-in for the official gcp plugin. Secrets and versions live in a real Secret Manager API server."""
