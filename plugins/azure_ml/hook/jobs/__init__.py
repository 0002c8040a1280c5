"""Calls about jobs: submit, follow, judge."""
