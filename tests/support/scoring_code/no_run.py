"""A scoring script that lacks run()."""


def init() -> None:
    """Nothing to do."""
