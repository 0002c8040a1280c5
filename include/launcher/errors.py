"""The launcher's own errors; each message names the bad value, its place and the cure."""

from __future__ import annotations


class LauncherError(Exception):
    """Base of all; the command line prints it without a traceback."""


class BadInputError(LauncherError):
    """A value that the user typed cannot be used."""


class StartError(LauncherError):
    """A process of the stack did not come up."""


class ApiError(LauncherError):
    """Airflow or the local Azure ML refused a request."""
