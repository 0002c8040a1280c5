"""What is published for every workspace."""
