"""Operators for jobs: submit, wait, read the metrics, cancel."""
