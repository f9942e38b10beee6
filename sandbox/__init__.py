"""Everything that `pulumi up` does in a cloud, on one machine and with real parts."""
