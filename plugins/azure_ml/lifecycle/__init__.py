"""Whose a resource is, and who ends it."""
