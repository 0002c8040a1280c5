"""The validation step: what it refuses, and how it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.compute_environment import RunStep

GOOD = {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello to you"}]}


def write_lines(path: Path, *lines: Any) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_well_formed_data_is_counted_in_the_report(
    run_step: RunStep, conversations: Path, tmp_path: Path
) -> None:
    report = tmp_path / "out" / "validation_info"
    inputs = {"train_file_path": conversations, "task_name": "chat-completion"}
    ran = run_step("ft_nlp_common_validation", inputs, {"validation_info": report})
    assert ran.returncode == 0, ran.stdout
    assert json.loads(report.read_text())["rows"] == {"train": 20}


BAD_ROWS = {
    "a line that is no JSON": ("{oops", "line 2: not valid JSON"),
    "a row without messages": ({"text": "Hello"}, "line 2: a row needs a list 'messages'"),
    "an empty conversation": ({"messages": []}, "line 2: 'messages' is [], not a list of messages"),
    "two user messages in a row": (
        {"messages": [GOOD["messages"][0]] * 2},
        "message 2 has role 'user' where 'assistant'",
    ),
    "an assistant that begins": (
        {"messages": [GOOD["messages"][1]]},
        "message 1 has role 'assistant' where 'user'",
    ),
    "content that is no text": (
        {"messages": [{"role": "user", "content": 5}]},
        "message 1 is {'role': 'user', 'content': 5}, but it must have a text as content",
    ),
    "no answer to learn": ({"messages": [GOOD["messages"][0]]}, "no message of role 'assistant'"),
}


@pytest.mark.parametrize("case", BAD_ROWS, ids=str)
def test_a_malformed_row_fails_naming_file_and_line(run_step: RunStep, tmp_path: Path, case: str) -> None:
    row, message = BAD_ROWS[case]
    data = write_lines(tmp_path / "train.jsonl", GOOD, row)
    inputs = {"train_file_path": data, "task_name": "chat-completion"}
    ran = run_step("ft_nlp_common_validation", inputs, {"validation_info": tmp_path / "info"})
    assert ran.returncode == 1
    assert "Error: train.jsonl, line 2" in ran.stdout
    assert message in ran.stdout
    assert not (tmp_path / "info").exists()


def test_the_rows_of_every_text_format_may_begin_with_a_byte_order_mark_and_be_long(
    run_step: RunStep, tmp_path: Path
) -> None:
    import csv
    import io

    long = [{"role": "user", "content": "one\u2028two " * 20_000}, {"role": "assistant", "content": "Yes."}]
    table = io.StringIO()
    csv.writer(table).writerows([["messages"], [json.dumps(long)]])
    texts = {
        ".jsonl": json.dumps({"messages": long}, ensure_ascii=False) + "\r\n",
        ".json": json.dumps([{"messages": long}], indent=1),
        ".csv": table.getvalue(),
    }
    splits = dict(zip(("train", "validation", "test"), texts, strict=True))
    for split, suffix in splits.items():
        (tmp_path / f"{split}{suffix}").write_text(texts[suffix], encoding="utf-8-sig", newline="")
    inputs = {f"{split}_file_path": tmp_path / f"{split}{suffix}" for split, suffix in splits.items()}
    ran = run_step(
        "ft_nlp_common_validation",
        {**inputs, "task_name": "chat-completion"},
        {"validation_info": tmp_path / "info"},
    )
    assert ran.returncode == 0, ran.stdout
    assert json.loads((tmp_path / "info").read_text())["rows"] == dict.fromkeys(splits, 1)


def test_an_mltable_may_name_a_folder(run_step: RunStep, tmp_path: Path) -> None:
    for name in ("part/b.jsonl", "part/.ipynb_checkpoints/b.jsonl", "a.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_lines(tmp_path / name, GOOD, GOOD)
    (tmp_path / "MLTable").write_text("paths:\n  - folder: ./part\n  - file: ./a.jsonl\n")
    inputs = {"train_mltable_path": tmp_path, "task_name": "chat-completion"}
    ran = run_step("ft_nlp_common_validation", inputs, {"validation_info": tmp_path / "info"})
    assert ran.returncode == 0, ran.stdout
    assert json.loads((tmp_path / "info").read_text())["rows"] == {"train": 4}


BAD_PARAMETERS = [
    ({"learning_rate": -1}, "learning_rate is -1.0: give a number above 0"),
    ({"num_train_epochs": 0}, "num_train_epochs is 0: give a whole number from 1"),
    ({"adam_beta1": 1.5}, "adam_beta1 is 1.5"),
    ({"max_seq_length": -7}, "max_seq_length is -7"),
    ({"precision": "8"}, "precision is '8': give 16 or 32"),
    ({"task_name": "Translation"}, "task_name is 'Translation'"),
]


@pytest.mark.parametrize(("given", "message"), BAD_PARAMETERS)
def test_a_parameter_that_cannot_train_is_refused(
    run_step: RunStep, conversations: Path, tmp_path: Path, given: dict[str, Any], message: str
) -> None:
    inputs = {"train_file_path": conversations, "task_name": "chat-completion", **given}
    ran = run_step("ft_nlp_common_validation", inputs, {"validation_info": tmp_path / "info"})
    assert ran.returncode == 1
    assert message in ran.stdout


def test_missing_training_data_is_refused(run_step: RunStep, tmp_path: Path) -> None:
    ran = run_step(
        "ft_nlp_common_validation", {"task_name": "chat-completion"}, {"validation_info": tmp_path / "info"}
    )
    assert ran.returncode == 1
    assert "No training data" in ran.stdout


def test_csv_json_parquet_and_mltable_are_read_as_well(run_step: RunStep, tmp_path: Path) -> None:
    import csv

    import pyarrow as pa
    import pyarrow.parquet as pq

    with (tmp_path / "train.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["messages"], [json.dumps(GOOD["messages"])]])
    pq.write_table(pa.Table.from_pylist([GOOD] * 2), tmp_path / "test.parquet")
    table = tmp_path / "table"
    table.mkdir()
    write_lines(table / "rows.jsonl", GOOD, GOOD, GOOD)
    (table / "MLTable").write_text("paths:\n  - file: ./rows.jsonl\ntransformations:\n  - read_json_lines\n")
    inputs = {
        "train_file_path": tmp_path / "train.csv",
        "test_file_path": tmp_path / "test.parquet",
        "validation_mltable_path": table,
        "task_name": "chat-completion",
    }
    ran = run_step("ft_nlp_common_validation", inputs, {"validation_info": tmp_path / "info"})
    assert ran.returncode == 0, ran.stdout
    assert json.loads((tmp_path / "info").read_text())["rows"] == {"train": 1, "validation": 3, "test": 2}


@pytest.mark.parametrize(
    ("paths", "rows"),
    [
        ("[{folder: ./part}]", 3),
        ("[{folder: part/}, {file: ./a.jsonl}]", 4),
        ("[{pattern: ./*.jsonl}]", 1),
        ("[{pattern: '**/*.jsonl'}, {file: a.jsonl}]", 4),
        ("[{folder: .}]", 4),
    ],
)
def test_an_mltable_names_files_folders_and_patterns(
    run_step: RunStep, tmp_path: Path, paths: str, rows: int
) -> None:
    (tmp_path / "table/part/deep").mkdir(parents=True)
    (tmp_path / "table/part/.ipynb_checkpoints").mkdir()
    write_lines(tmp_path / "table/a.jsonl", GOOD)
    write_lines(tmp_path / "table/part/b.jsonl", GOOD)
    write_lines(tmp_path / "table/part/deep/c.jsonl", GOOD, GOOD)
    if "**" not in paths:
        write_lines(tmp_path / "table/part/.ipynb_checkpoints/b.jsonl", GOOD)
    (tmp_path / "table/MLTable").write_text(f"paths: {paths}\ntransformations: [read_json_lines]\n")
    inputs = {"train_mltable_path": tmp_path / "table", "task_name": "chat-completion"}
    ran = run_step("ft_nlp_common_validation", inputs, {"validation_info": tmp_path / "info"})
    assert ran.returncode == 0, ran.stdout
    assert json.loads((tmp_path / "info").read_text())["rows"] == {"train": rows}


@pytest.mark.parametrize(
    "entry", ["{folder: ./nowhere}", "{file: b.jsonl}", "{file: 'https://x/y.jsonl'}", "text"]
)
def test_an_mltable_that_names_what_is_not_there_is_refused_by_its_path(
    run_step: RunStep, tmp_path: Path, entry: str
) -> None:
    write_lines(tmp_path / "a.jsonl", GOOD)
    (tmp_path / "MLTable").write_text(f"paths: [{entry}]\n")
    inputs = {"train_mltable_path": tmp_path, "task_name": "chat-completion"}
    ran = run_step("ft_nlp_common_validation", inputs, {"validation_info": tmp_path / "info"})
    assert ran.returncode != 0
    assert "MLTable" in ran.stdout
    assert "Traceback" not in ran.stdout
