"""The SDK's own end-to-end tests, run against the local Azure ML."""
