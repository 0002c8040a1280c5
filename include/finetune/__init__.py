"""What the Dag knows about fine-tuning a chat model; nothing here imports Azure's SDK."""
