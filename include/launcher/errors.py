"""The launcher's own errors. Each says what, where, the bad value and the cure, in one sentence."""

from __future__ import annotations


class LauncherError(Exception):
    """Base of all errors that the launcher raises on purpose; printed without a traceback."""


class BadInputError(LauncherError):
    """A value that the user typed cannot be used."""


class StartError(LauncherError):
    """A process of the stack did not come up."""


class ApiError(LauncherError):
    """Airflow or the local Azure ML refused a request."""
