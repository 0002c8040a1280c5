"""The filters and orders of a list request of assets: view, order, tags, version."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import Request

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.store import Document

VIEWS = ("ActiveOnly", "ArchivedOnly", "All")


def select(request: Request, documents: Iterable[Document]) -> list[Document]:
    """Apply ``listViewType``, ``$orderBy``, ``tags``, ``hash`` and ``version`` of a list request.

    Raises:
        ArmError: 400 for a view or an order that does not exist.
    """
    query = request.query_params
    chosen = _in_view(list(documents), query.get("listViewType", VIEWS[0]))
    for pair in filter(None, (query.get("tags") or "").split(",")):
        chosen = [item for item in chosen if has_tag(item["properties"].get("tags") or {}, pair)]
    if version := query.get("version"):
        chosen = [item for item in chosen if item.key.endswith(f"/{version}")]
    if digest := query.get("hash"):
        chosen = [
            item
            for item in chosen
            if (item["properties"].get("properties") or {}).get("hash_sha256") == digest
        ]
    return _in_order(chosen, query.get("$orderBy") or query.get("orderBy") or "")


def _in_view(documents: list[Document], view: str) -> list[Document]:
    if view.lower() not in [known.lower() for known in VIEWS]:
        raise ArmError(
            400, "UserError", f"listViewType {view!r} does not exist: use one of {', '.join(VIEWS)}."
        )
    if view.lower() == "all":
        return documents
    archived = view.lower() == "archivedonly"
    return [item for item in documents if bool(item["properties"].get("isArchived")) == archived]


def has_tag(tags: dict[str, str], pair: str) -> bool:
    """Whether tags fit a filter ``name`` or ``name=value``."""
    key, has_value, value = pair.partition("=")
    return key in tags and (not has_value or tags[key] == value)


def _in_order(documents: list[Document], order: str) -> list[Document]:
    field, _, direction = order.lower().partition(" ")
    if field not in ("", "createdtime", "modifiedtime"):
        raise ArmError(
            400,
            "UserError",
            f"$orderBy {order!r} is not known: use createdtime or modifiedtime, asc or desc.",
        )
    if field == "modifiedtime":
        documents = sorted(documents, key=lambda item: item.modified)
    # Newest first, unless the request says otherwise.
    return documents if direction == "asc" else documents[::-1]
