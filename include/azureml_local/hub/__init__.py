"""The local Hugging Face Hub."""
