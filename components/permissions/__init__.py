"""What Kestra may do in each cloud, by mode, and why: plain data, from which policies, tests and docs come."""
