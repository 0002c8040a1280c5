"""The lines that tell how far the reading is."""

from __future__ import annotations

import logging

import pytest

from include.finetune.data.progress import EVERY, Progress


def test_a_line_every_few_seconds_tells_rows_bytes_rate_and_time_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    progress = Progress("train_sft", lambda: now[0])
    progress.received(1_000_000)
    progress.expect(1000, 20_000_000)
    with caplog.at_level(logging.INFO):
        for _ in range(22):
            now[0] += 0.5
            progress.received(200_000)
            progress.row()
    assert caplog.messages == [
        "train_sft: 9 of 1,000 rows, 3.0 of 21.0 MB, 0.6 MB/s, 551 s left",
        "train_sft: 19 of 1,000 rows, 5.0 of 21.0 MB, 0.5 MB/s, 516 s left",
    ]
    assert EVERY == 5


def test_what_is_not_known_yet_is_not_said() -> None:
    progress = Progress("train", lambda: 1.0)
    progress.received(2_000_000)
    assert progress.line() == "train: 0 rows, 2.0 MB, 2000.0 MB/s"
