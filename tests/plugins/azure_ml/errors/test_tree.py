"""The tree of errors."""

from __future__ import annotations

import re

from airflow.sdk.exceptions import AirflowFailException

from azure_ml import errors


def test_what_cannot_be_helped_by_trying_again_is_not_retried_by_airflow() -> None:
    for kind in (
        errors.BadInput,
        errors.AuthFailed,
        errors.QuotaExceeded,
        errors.JobCanceled,
        errors.NameTaken,
    ):
        assert issubclass(kind, AirflowFailException)
    for retried in (
        errors.Unreachable,
        errors.Throttled,
        errors.ServiceFailure,
        errors.Conflict,
        errors.DiskFull,
    ):
        assert not issubclass(retried, AirflowFailException)


def test_the_drawn_tree_names_every_error() -> None:
    words = set(re.findall(r"\w+", str(errors.__doc__)))
    assert set(errors.__all__) - {"Cause"} <= words


def test_a_sentence_ends_with_the_cure_of_its_error() -> None:
    cured = [errors.NotFound, errors.AuthFailed, errors.QuotaExceeded, errors.NoCapacity, errors.Throttled]
    assert all(kind.cure for kind in (*cured, errors.Conflict, errors.ServiceFailure, errors.BadInput))
