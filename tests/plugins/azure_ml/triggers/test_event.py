"""What a trigger hands to the worker."""

from __future__ import annotations

import json

from azure_ml import errors
from azure_ml.triggers.event import Event


def test_an_event_survives_the_database() -> None:
    event = Event("deadline", "e", "d", state="Creating", operation="/subscriptions/x", deadline=1.5)
    assert Event.from_json(json.loads(json.dumps(event.to_json()))) == event


def test_an_error_keeps_its_kind_and_an_unknown_kind_may_be_retried() -> None:
    assert type(Event("error", "j", error="gone", kind="NotFound").as_error()) is errors.NotFound
    assert type(Event("error", "j", error="gone", kind="NoSuchError").as_error()) is errors.ServiceFailure
