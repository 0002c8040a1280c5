"""Blobs, the addresses that lead to them, and datastores."""
