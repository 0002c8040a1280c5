"""What can be wrong with what a user asks for."""

from __future__ import annotations


class InputError(ValueError):
    """A value of the user's, or a row of the data, is wrong; one sentence says which, where, and the cure."""


class HubUnreachableError(RuntimeError):
    """The Hub of data sets does not answer; trying again may help."""
