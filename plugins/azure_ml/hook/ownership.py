"""Whose a resource is: nothing is taken over, changed or ended before its tags have been compared."""

from __future__ import annotations

from collections.abc import Mapping

from azure_ml.errors import NameTaken


def is_owned(tags: Mapping[str, object] | None, owner: Mapping[str, str]) -> bool:
    """Whether a resource's tags have all the owner's values; an empty owner owns nothing."""
    return bool(owner) and all((tags or {}).get(key) == value for key, value in owner.items())


def require_owned(what: str, tags: Mapping[str, object] | None, owner: Mapping[str, str]) -> None:
    """Raise :class:`NameTaken` if the resource, for example ``the job 'x'``, is not the owner's."""
    if is_owned(tags, owner):
        return
    names = list(owner)
    theirs = ", ".join(f"{name}={(tags or {}).get(name)!r}" for name in names) or "no owner was named"
    raise NameTaken(
        f"The workspace has {what} of another owner ({theirs}): it is left as it is. Choose another name, and give "
        "each Airflow that shares the workspace a project of its own in its connection."
    )
