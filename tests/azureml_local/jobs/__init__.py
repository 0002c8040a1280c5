"""Jobs through the SDK: what runs, what is refused, how they end with the service."""
