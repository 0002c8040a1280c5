"""What a task passes on to another one: a result that is missing, or null, stops the task that needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from airflow.sdk.definitions.xcom_arg import PlainXComArg

from azure_ml.errors import BadInput


def require_result(value: object, source: str, key: str, reader: str) -> None:
    """Raise :class:`BadInput` for a result that the task ``source`` did not return."""
    if value is None:
        raise BadInput(
            f"The task {source!r} returned no {key!r}, which {reader!r} needs: it did not run to its end here "
            "(somebody may have marked it successful); clear it, so that it runs."
        )


def require_results(given: Mapping[str, object], rendered: Mapping[str, object], reader: str) -> None:
    """The same for every result that fields name; what is not rendered yet is passed over."""
    for field, value in given.items():
        for source, key in _missing(value, rendered[field]):
            require_result(None, source, key, reader)


# Airflow resolves a result that is missing to ``None`` where the task that should return it has several.
def _missing(given: object, rendered: object) -> Iterator[tuple[str, str]]:
    if isinstance(given, PlainXComArg):
        if rendered is None:
            yield given.operator.task_id, given.key
    elif isinstance(given, Mapping) and isinstance(rendered, Mapping):
        for name, value in given.items():
            yield from _missing(value, rendered.get(name))
    elif isinstance(given, (list, tuple)) and isinstance(rendered, Sequence):
        for value, result in zip(given, rendered, strict=False):
            yield from _missing(value, result)
