"""What happens when things go wrong: killed, refused, failing."""
