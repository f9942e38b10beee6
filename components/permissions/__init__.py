"""What Kestra may do in each cloud, by mode, and why: pure data, from which bindings and documentation come."""
