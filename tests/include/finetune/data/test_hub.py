"""The Hub as it is on bad days, and data sets as they are kept there."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.finetune.data import hub
from include.finetune.data.remote_file import RemoteFile
from include.finetune.errors import HubUnreachableError, InputError
from tests.support.azureml_service import AzureMLLocal
from tests.support.hub_data import PARTS, Check, RowsOf, conversation, lines, put, put_splits


def test_an_unknown_data_set_is_named(check: Check) -> None:
    with pytest.raises(InputError, match="no data set 'nobody/nothing' with data in it"):
        check("nobody/nothing")


def test_a_hub_that_fails_is_not_a_wrong_input(azureml_local: AzureMLLocal) -> None:
    fault = {"kind": "reset", "path": "/hub/*", "count": None}
    pauses: list[float] = []
    with azureml_local.faults(fault), pytest.raises(HubUnreachableError, match="does not answer"):
        hub.open_repository("tests/unreachable", pause=pauses.append)
    assert pauses == [1, 2, 4, 8, 16]


def test_a_hub_that_is_busy_is_asked_again_as_late_as_it_says(azureml_local: AzureMLLocal) -> None:
    repo = put_splits(azureml_local, "tests/busy", {key: [conversation(1)] for key in PARTS})
    fault = {
        "kind": "status",
        "status": 429,
        "headers": {"Retry-After": "7"},
        "path": "/hub/api/datasets/*",
        "count": 3,
    }
    pauses: list[float] = []
    with azureml_local.faults(fault):
        assert set(hub.open_repository(repo, pause=pauses.append).splits) == set(PARTS)
    assert pauses == [7, 7, 7]


def test_a_cached_copy_does_not_stand_in_for_a_hub_that_is_away(azureml_local: AzureMLLocal) -> None:
    repo = put_splits(azureml_local, "tests/cached", {key: [conversation(1)] for key in PARTS})
    assert set(hub.open_repository(repo).splits) == set(PARTS)
    pauses: list[float] = []
    with (
        azureml_local.faults({"kind": "status", "status": 503, "path": "/hub/api/*", "count": None}),
        pytest.raises(HubUnreachableError, match="does not answer"),
    ):
        hub.open_repository(repo, pause=pauses.append)
    assert pauses == [1, 2, 4, 8, 16]


def test_a_range_that_breaks_off_is_asked_for_again(azureml_local: AzureMLLocal) -> None:
    repo = put_splits(azureml_local, "tests/broken-range", {"train": [conversation(1)] * 50})
    address = hub.open_repository(repo).splits["train"][0]
    pauses: list[float] = []
    received: list[int] = []
    with azureml_local.faults({"kind": "reset", "method": "GET", "path": "/hub/datasets/*", "count": 8}):
        file = RemoteFile(address, received.append, pauses.append)
        content = file.read()
    assert content == lines([conversation(1)] * 50)
    assert received == [len(content)]
    assert pauses


def test_a_new_revision_is_read_though_the_old_one_was(
    azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf
) -> None:
    repo = put_splits(azureml_local, "tests/moving", {key: [conversation(1)] for key in PARTS})
    first = check(repo)
    (file,) = (azureml_local.home / "hub" / "tests--moving").glob("*/data/train_sft.jsonl")
    file.write_bytes(lines([conversation(2)]))
    second = check(repo)
    assert second["revision"] != first["revision"]
    assert rows_of(second, "train") == [conversation(2)]


def card(*configs: str) -> bytes:
    text = "".join(
        f"- config_name: {name}\n  data_files:\n"
        f"  - split: train\n    path: {name}/train.jsonl\n  - split: test\n    path: {name}/test.jsonl\n"
        for name in configs
    )
    return f"---\nconfigs:\n{text}---\n".encode()


def test_one_of_several_configurations_has_to_be_chosen(
    azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf
) -> None:
    files = {
        f"{name}/{split}.jsonl": lines([conversation(number)])
        for number, name in enumerate(("short", "long"))
        for split in ("train", "test")
    }
    repo = put(azureml_local, "tests/configs", {"README.md": card("short", "long"), **files})
    with pytest.raises(
        InputError, match=r"several configurations: set dataset_config to one of 'short', 'long'"
    ):
        check(repo)
    with pytest.raises(InputError, match=r"no configuration 'middle': set dataset_config to one of 'short'"):
        check(repo, dataset_config="middle")
    assert rows_of(check(repo, dataset_config="long"), "train") == [conversation(1)]


def test_a_loading_script_is_not_run(azureml_local: AzureMLLocal, check: Check) -> None:
    repo = put(azureml_local, "tests/script", {"script.py": b"raise SystemExit('run')\n"})
    with pytest.raises(InputError, match=r"loaded by a script of its own|with data in it"):
        check(repo)


def test_files_of_another_kind_are_named(azureml_local: AzureMLLocal, check: Check) -> None:
    repo = put(azureml_local, "tests/csv", {"train.csv": b"a,b\n1,2\n", "test.csv": b"a,b\n1,2\n"})
    with pytest.raises(InputError, match=r"kept in train\.csv: only parquet, \.jsonl and \.json"):
        check(repo)


def test_an_empty_split_is_named(azureml_local: AzureMLLocal, check: Check) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([conversation(1)]).slice(0, 0), sink)
    repo = put(
        azureml_local, "tests/empty", {"train.parquet": sink.getvalue(), "test.jsonl": b""} | {
            "test.parquet": sink.getvalue()
        },
    )  # fmt: skip
    with pytest.raises(InputError, match=r"split 'train' of the data set 'tests/empty' has no row"):
        check(repo)


def test_stale_sizes_in_the_card_do_no_harm(azureml_local: AzureMLLocal, check: Check) -> None:
    readme = (
        b"---\nconfigs:\n- config_name: default\n  data_files:\n"
        b"  - split: train\n    path: train.jsonl\n  - split: test\n    path: test.jsonl\n"
        b"dataset_info:\n  features:\n  - name: messages\n    list:\n    - name: role\n      dtype: string\n"
        b"    - name: content\n      dtype: string\n"
        b"  splits:\n  - name: train\n    num_bytes: 5\n    num_examples: 999\n"
        b"  - name: test\n    num_bytes: 5\n    num_examples: 999\n---\n"
    )
    content = lines([conversation(number) for number in range(3)])
    repo = put(
        azureml_local, "tests/stale", {"README.md": readme, "train.jsonl": content, "test.jsonl": content}
    )
    assert check(repo)["rows"] == {"train": 3, "test": 3}
