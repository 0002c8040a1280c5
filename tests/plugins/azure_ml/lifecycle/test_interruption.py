"""Which killed task undoes what it began."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.lifecycle import interruption

MakeContext = Callable[..., Any]


Request = Callable[..., PipelineRequest]


def test_a_task_whose_state_is_not_told_in_time_is_not_taken_for_ended(
    context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    ti, undone, never = context(a_task="failed")["ti"], list[str](), threading.Event()
    interruption.undo_if_ended(ti, lambda: undone.append("ended"))
    assert undone == ["ended"]
    monkeypatch.setattr(ti, "get_task_states", lambda **_: never.wait())
    interruption.undo_if_ended(ti, lambda: undone.append("not ended"), 0.01)
    assert undone == ["ended"]
    never.set()
