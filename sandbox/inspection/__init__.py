"""What a stack consists of: the resources that its program registers, those of its state, and its settings."""
