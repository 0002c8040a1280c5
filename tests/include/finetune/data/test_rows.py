"""Rows as users have them: each kind is taken, or refused with file and line, before anything is paid."""

from __future__ import annotations

import gzip
import io
import json
import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.finetune.errors import InputError
from tests.support.azureml_service import AzureMLLocal
from tests.support.hub_data import PARTS, Check, RowsOf, conversation, lines, put, put_splits

ROWS = [conversation(number) for number in range(6)]
SHAREGPT = [
    {
        "conversations": [{"from": "human", "value": "Is it cold?"}, {"from": "gpt", "value": "It is."}],
        "id": 1,
    }
]


def zstd(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content, asbytes=True))


def parquet(rows: list[Any], **more: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, **more)
    return sink.getvalue()


FORMS = {
    "bom": (".jsonl", b"\xef\xbb\xbf" + lines(ROWS)),
    "crlf": (".jsonl", lines(ROWS).replace(b"\n", b"\r\n")),
    "blank lines": (".jsonl", b"\n" + lines(ROWS).replace(b"\n", b"\n\n")),
    "no newline at the end": (".jsonl", lines(ROWS).rstrip(b"\n")),
    "gzip": (".jsonl.gz", gzip.compress(lines(ROWS))),
    "zstd": (".jsonl.zst", zstd(lines(ROWS))),
    "array": (".json", json.dumps(ROWS, indent=1).encode()),
    "array with bom": (".json", b"\xef\xbb\xbf" + json.dumps(ROWS).encode()),
    "parquet": (".parquet", parquet(ROWS)),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_come_out_of_every_form(
    azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf, form: str
) -> None:
    suffix, content = FORMS[form]
    repo = put(
        azureml_local,
        f"tests/form-{form.replace(' ', '-')}",
        {f"data/{split}-00000{suffix}": content for split in ("train", "test")},
    )
    assert rows_of(check(repo), "train") == ROWS


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0c", "\x1e", "\r\n"], ids=ascii)
def test_no_separator_but_the_newline_ends_a_line(
    azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf, separator: str
) -> None:
    row = {
        "messages": [{"role": "user", "content": f"one{separator}two"}, {"role": "assistant", "content": "3"}]
    }
    repo = put_splits(
        azureml_local, f"tests/separator-{ord(separator[0])}", {key: [row, row] for key in PARTS}
    )
    assert rows_of(check(repo), "test_gen") == [row, row]


def test_columns_that_json_cannot_hold_do_no_harm(
    azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf
) -> None:
    odd = {
        "when": datetime(2026, 1, 1, tzinfo=UTC),
        "price": Decimal("1.50"),
        "blob": b"\xff",
        "ratio": float("nan"),
    }
    content = parquet([{**row, **odd} for row in ROWS])
    repo = put(azureml_local, "tests/odd-columns", {f"{name}.parquet": content for name in ("train", "test")})
    assert rows_of(check(repo), "train") == ROWS


@pytest.mark.parametrize("binary", [False, True], ids=["json", "parquet"])
def test_the_form_of_sharegpt_is_detected_and_said(
    azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf, caplog: pytest.LogCaptureFixture, binary: bool
) -> None:
    content, suffix = (parquet(SHAREGPT), "parquet") if binary else (lines(SHAREGPT), "jsonl")
    repo = put(
        azureml_local, f"tests/sharegpt-{suffix}", {f"{name}.{suffix}": content for name in ("train", "test")}
    )
    with caplog.at_level(logging.INFO):
        checked = check(repo)
    assert rows_of(checked, "train")[0]["messages"] == [
        {"role": "user", "content": "Is it cold?"},
        {"role": "assistant", "content": "It is."},
    ]
    assert 'mapped by {"messages": "conversations", "role": "from"' in caplog.text


def test_a_mapping_finds_columns_of_any_name(
    azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf
) -> None:
    row = {"ask": "Is it cold?", "say": "It is.", "rules": "Be short."}
    repo = put_splits(azureml_local, "tests/pairs", {key: [row] for key in PARTS})
    checked = check(repo, mapping={"prompt": "ask", "response": "say", "system": "rules"})
    assert [turn["role"] for turn in rows_of(checked, "train")[0]["messages"]] == [
        "system",
        "user",
        "assistant",
    ]


def test_known_pairs_are_suggested_and_not_taken_unasked(azureml_local: AzureMLLocal, check: Check) -> None:
    repo = put_splits(
        azureml_local, "tests/suggested", {key: [{"instruction": "a", "output": "b"}] for key in PARTS}
    )
    with pytest.raises(InputError, match=r'set mapping to {"prompt": "instruction", "response": "output"}'):
        check(repo)


def test_a_mapping_to_a_column_that_is_not_there_lists_those_that_are(
    azureml_local: AzureMLLocal, check: Check
) -> None:
    repo = put_splits(azureml_local, "tests/wrong-mapping", {key: [conversation(1, id=3)] for key in PARTS})
    with pytest.raises(InputError, match=r"no column 'chat', which mapping names: it has id, messages"):
        check(repo, mapping={"messages": "chat"})


def test_a_data_set_without_messages_is_refused(azureml_local: AzureMLLocal, check: Check) -> None:
    repo = put_splits(azureml_local, "tests/no-messages", {key: [{"text": "hello"}] for key in PARTS})
    with pytest.raises(InputError, match=r"'tests/no-messages' has no column 'messages' but text"):
        check(repo)


def test_text_in_parts_is_joined_and_counted(
    azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf, caplog: pytest.LogCaptureFixture
) -> None:
    parts = [{"type": "text", "text": "Is it "}, {"type": "text", "text": "cold?"}]
    row = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "Yes."}]}
    repo = put_splits(azureml_local, "tests/parts", {key: [row, conversation(1)] for key in PARTS})
    with caplog.at_level(logging.INFO):
        checked = check(repo)
    assert rows_of(checked, "train")[0]["messages"][0]["content"] == "Is it cold?"
    assert "2 rows read, 2 kept, 0 dropped; in 1 the text was joined from its parts" in caplog.text


def turns(*said: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in said]}


IMAGE = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
BAD: dict[str, tuple[Any, str]] = {
    "empty": ({"messages": []}, r"line 3: 'messages' is \[\], not a list of messages"),
    "cut off": ('{"messages": [', "line 3: this is not JSON"),
    "no object": ("[1, 2]", r"line 3: \[1, 2\] is no JSON object"),
    "text": ({"messages": "hello"}, "line 3: 'messages' is 'hello'"),
    "unknown role": (turns(("boss", "x")), "line 3: message 1 .* must have a role out of"),
    "tool": (turns(("user", "x"), ("tool", "{}")), "line 3: message 2 .* a turn of a tool"),
    "empty answer": (turns(("user", "x"), ("assistant", "")), "line 3: message 2 .* not empty"),
    "none": (turns(("user", None), ("assistant", "x")), "line 3: message 1 .* text as content"),
    "image": (turns(("user", IMAGE), ("assistant", "x")), "line 3: message 1 .* text as content"),
    "user twice": (
        turns(("user", "x"), ("user", "y")),
        "line 3: message 2 has role 'user' where 'assistant'",
    ),
    "late system": (turns(("user", "x"), ("system", "y")), "line 3: message 2 has role 'system'"),
    "no answer": (turns(("user", "x")), "line 3: no message of role 'assistant'"),
    "half a character": (
        '{"messages": [{"role": "user", "content": "\\ud83d"}, {"role": "assistant", "content": "x"}]}',
        "line 3: message 1 .* half of a character",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_row_is_named_by_file_and_line_or_dropped_and_counted(
    azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf, kind: str
) -> None:
    row, sentence = BAD[kind]
    # Before it a blank line and a separator that ends no line, which must not move the count.
    good = turns(("user", "one\u2028two"), ("assistant", "three"))
    rows: dict[str, list[Any]] = {key: [good] for key in PARTS}
    rows["train_sft"] = [good, "", row, *[good] * 30]
    repo = put_splits(azureml_local, f"tests/bad-{kind.replace(' ', '-')}", rows)
    with pytest.raises(InputError, match=rf"data/train_sft\.jsonl, {sentence}") as raised:
        check(repo)
    assert len(str(raised.value)) < 600
    checked = check(repo, on_bad_row="drop")
    assert rows_of(checked, "train") == [good] * 31
    assert list(checked["dropped"]["train_sft"].values()) == [1]


def test_too_many_bad_rows_are_not_dropped(azureml_local: AzureMLLocal, check: Check) -> None:
    rows = [conversation(1)] * 9 + [turns(("user", "x"))]
    repo = put_splits(
        azureml_local, "tests/limit", {**{key: [conversation(1)] for key in PARTS}, "train_sft": rows}
    )
    with pytest.raises(
        InputError, match=r"1 dropped \(no answer 1\); that is 10 % and bad_row_limit_pc is 5"
    ):
        check(repo, on_bad_row="drop")
    assert check(repo, on_bad_row="drop", bad_row_limit_pc=10)["rows"]["train_sft"] == 9


def test_a_question_without_an_answer_can_be_asked(azureml_local: AzureMLLocal, check: Check) -> None:
    rows = {**{key: [conversation(1)] for key in PARTS}, "test_gen": [turns(("user", "Is it cold?"))]}
    assert check(put_splits(azureml_local, "tests/asked", rows))["rows"]["test_gen"] == 1


def test_another_json_file_of_the_repository_is_not_blamed(azureml_local: AzureMLLocal, check: Check) -> None:
    content = lines([*ROWS[:2], '{"messages": ['])
    card = "".join(f"  - split: {name}\n    path: data/{name}.jsonl\n" for name in ("train", "test"))
    repo = put(
        azureml_local,
        "tests/pretty",
        {
            "README.md": f"---\nconfigs:\n- config_name: default\n  data_files:\n{card}---\n".encode(),
            "a-meta.json": b'{\n "name": "pretty"\n}\n',
            "data/train.jsonl": content,
            "data/test.jsonl": content,
        },
    )
    with pytest.raises(InputError, match=r"data/train\.jsonl, line 3: this is not JSON"):
        check(repo)


def test_a_row_of_parquet_is_named_by_its_number_in_the_file(
    azureml_local: AzureMLLocal, check: Check
) -> None:
    rows = [*ROWS, turns(("user", "x"))] * 2
    content = parquet(rows, row_group_size=3)
    repo = put(azureml_local, "tests/row-number", {f"{name}.parquet": content for name in ("train", "test")})
    with pytest.raises(InputError, match=r"train\.parquet, row 7: no message of role 'assistant'"):
        check(repo)
