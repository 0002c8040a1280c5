"""From socket to router."""
