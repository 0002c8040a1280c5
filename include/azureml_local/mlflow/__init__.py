"""The tracking API of MLflow."""
