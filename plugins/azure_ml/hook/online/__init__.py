"""Calls about online endpoints and their deployments."""
