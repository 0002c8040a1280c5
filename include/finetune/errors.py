"""The errors of this package, by whose fault it is: the user's, or the Hub's."""

from __future__ import annotations

from azure_ml.bounds import ERROR, cut


class InputError(ValueError):
    """A value that the user gave, or a row of the data, is wrong; the message names it, its place and the cure."""

    def __init__(self, text: object = "") -> None:
        super().__init__(cut(str(text), ERROR))


class HubUnreachableError(RuntimeError):
    """The Hugging Face Hub does not answer; a retry may help."""

    def __init__(self, text: object = "") -> None:
        super().__init__(cut(str(text), ERROR))
