"""Stand-in for the official plugin `random` (pulumi-random 4.21): values generated once and kept in state."""
