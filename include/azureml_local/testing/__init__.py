"""For tests against the local Azure ML: a pytest plugin, and a service of one's own as a context manager."""
