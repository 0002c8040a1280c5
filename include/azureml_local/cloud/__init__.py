"""The address book: metadata, tokens, workspaces, locations, and the state of operations."""
