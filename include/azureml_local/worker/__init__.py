"""What runs in the compute environment and imports nothing of the service."""
