"""Stand-in for the official plugin `aws` (pulumi-aws 7.51.1), against a local AWS API server."""
