"""Tags of owner and lease."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook.ownership import is_owned
from azure_ml.lifecycle import tags as ownership

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_lease_is_tagged_with_its_task_and_its_end_in_utc(context: Callable[..., Any]) -> None:
    tags = ownership.lease_tags(context("r"), "p", timedelta(hours=2))
    end = ownership.expiry_of(tags)
    assert end is not None
    assert timedelta(hours=1.9) < end - datetime.now(UTC) <= timedelta(hours=2)
    assert tags[ownership.EXPIRY_TAG].endswith("Z")
    assert ownership.MAP_INDEX_TAG not in tags


def test_a_mapped_task_is_tagged_with_its_index(context: Callable[..., Any]) -> None:
    there = context()
    there["ti"].map_index = 3
    assert ownership.creator_tags(there, "p")[ownership.MAP_INDEX_TAG] == "3"


@pytest.mark.parametrize("lease", [timedelta(0), timedelta(seconds=-1)])
def test_a_lease_that_is_over_at_once_is_refused(context: Callable[..., Any], lease: timedelta) -> None:
    with pytest.raises(errors.BadInput, match="over before it begins"):
        ownership.lease_tags(context(), "p", lease)


@pytest.mark.parametrize("missing", [("", "r", "p"), ("d", "", "p"), ("d", "r", "")])
def test_nobody_owns_by_an_empty_name(missing: tuple[str, str, str]) -> None:
    with pytest.raises(errors.BadInput, match="has no airflow_"):
        ownership.owner_tags(*missing)


def test_an_owner_without_tags_owns_nothing() -> None:
    assert not is_owned({"a": "b"}, {})
    assert not is_owned(None, {"a": "b"})


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z"])
def test_a_lease_that_cannot_be_read_is_no_lease(text: str) -> None:
    assert ownership.expiry_of({ownership.EXPIRY_TAG: text}) is None
