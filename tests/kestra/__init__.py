"""A real Kestra with configurations made by hand."""
