"""What all stand-ins for provider plugins share: the protocol, values, schemas, retries, and objects kept in a file."""
