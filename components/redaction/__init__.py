"""Takes secret values out of what people read: of the program's own messages, and of what the sandbox receives."""
