"""What Kestra may do in each cloud: plain data, from which policies, tests and documentation come."""
