"""The store keeps what was confirmed, in the order in which it came."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from azureml_local.engine.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state.db")


def test_what_was_put_is_read_back(store: Store) -> None:
    store.put("models", "m/1", {"properties": {"description": "first"}})
    document = store.get("models", "m/1")
    assert document == {"properties": {"description": "first"}}
    assert document.created == document.modified


def test_a_missing_document_is_none(store: Store) -> None:
    assert store.get("models", "m/1") is None
    assert store.update("models", "m/1", tags={}) is None
    assert not store.delete("models", "m/1")


def test_a_change_keeps_the_time_and_the_place_of_creation(store: Store) -> None:
    first = store.put("models", "b", {"n": 1})
    store.put("models", "a", {"n": 2})
    changed = store.update("models", "b", n=3)
    assert changed is not None
    assert changed.created == first.created
    assert changed.modified > first.modified
    assert [document.key for document in store.list("models")] == ["b", "a"]


def test_a_prefix_is_taken_literally(store: Store) -> None:
    for key in ("a_b/1", "axb/1", "a%/1"):
        store.put("models", key, {})
    assert [document.key for document in store.list("models", "a_b/")] == ["a_b/1"]
    assert [document.key for document in store.list("models", "a%/")] == ["a%/1"]


def test_a_document_changed_in_memory_is_not_changed_on_disk(store: Store) -> None:
    store.put("jobs", "j", {"properties": {"status": "Running"}})
    document = store.get("jobs", "j")
    assert document is not None
    document["properties"]["status"] = "Completed"
    assert store.get("jobs", "j") == {"properties": {"status": "Running"}}


def test_clear_forgets_all_but_what_is_kept(store: Store) -> None:
    store.put("jobs", "j", {})
    store.put("hubDatasets", "d", {})
    store.clear(keep=frozenset({"hubDatasets"}))
    assert list(store.kinds()) == ["hubDatasets"]


_WRITER = """
import sys
from pathlib import Path
from azureml_local.engine.store import Store
store = Store(Path(sys.argv[1]))
number = 0
while True:
    store.put("jobs", str(number), {"number": number})
    print(number, flush=True)
    number += 1
"""


def test_nothing_confirmed_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=os.getcwd(),
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert writer.stdout is not None
    confirmed = -1
    for line in writer.stdout:
        confirmed = int(line)
        if confirmed == 50:
            os.kill(writer.pid, signal.SIGKILL)
            break
    confirmed = max([confirmed, *(int(line) for line in writer.stdout)])
    writer.wait()
    store = Store(path)
    assert [document["number"] for document in store.list("jobs")][: confirmed + 1] == list(
        range(confirmed + 1)
    )


def test_what_is_written_together_reaches_the_disk_in_one_step(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "state.db")
    with store.together():
        for number in range(3):
            store.put("runs", f"r-{number}", {"n": number})
        assert store.get("runs", "r-2") == {"n": 2}
        assert other.list("runs") == []
    assert len(other.list("runs")) == 3


def test_an_error_undoes_all_that_was_written_together(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.together():
        store.put("runs", "r", {"n": 1 // 0 if store.put("runs", "q", {}) == {} else 0})
    assert store.list("runs") == []
    assert store.put("runs", "after", {}) == {}
