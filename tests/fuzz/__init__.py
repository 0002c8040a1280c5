"""Requests drawn from Azure's published contract, and what must hold of every answer."""
