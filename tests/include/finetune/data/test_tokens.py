"""Tokens are counted as the job will count them: against transformers itself, with the registry model's own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azure_ml.hook import AzureMLHook
from include.finetune.data import checking, tokens
from include.finetune.data.tokens import ChatTokenizer, NoTokenizerError
from include.finetune.errors import InputError
from tests.support.azureml_service import AzureMLLocal
from tests.support.compute_environment import run_compute
from tests.support.hub_data import PARTS, conversation, lines, put_splits

MODEL = ("Phi-3-mini-4k-instruct", "16")
ORACLE = """
import json, sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
rows = [json.loads(line)["messages"] for line in open(sys.argv[2])]
coded = [tokenizer.apply_chat_template(row, tokenize=True, return_dict=True) for row in rows]
print(json.dumps([len(one["input_ids"]) for one in coded]))
"""


@pytest.fixture(scope="module")
def model_files(connection: Any) -> dict[str, bytes]:
    return AzureMLHook().registry.small_files(*MODEL, tokens.FILES)


def talk(*texts: str, system: str = "") -> dict[str, Any]:
    turns = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)]
    return {"messages": [{"role": "system", "content": system}, *turns] if system else turns}


def test_the_counts_are_those_of_transformers(model_files: dict[str, bytes], tmp_path: Path) -> None:
    for name, content in model_files.items():
        (tmp_path / name).write_bytes(content)
    rows = [
        talk("Hello?", "Hello!"),
        talk("Grüße, 你好 <|end|>", " \n\n x  ", "And?", "So."),
        talk("a", "b", system="Be."),
    ]
    (tmp_path / "rows.jsonl").write_bytes(lines(rows))
    ran = run_compute("-c", ORACLE, str(tmp_path), str(tmp_path / "rows.jsonl"))
    assert ran.returncode == 0, ran.stdout
    assert ChatTokenizer(model_files).count([row["messages"] for row in rows]) == json.loads(
        ran.stdout.splitlines()[-1]
    )


def test_only_small_files_come_from_the_registry(model_files: dict[str, bytes]) -> None:
    assert set(model_files) == set(tokens.FILES)


def test_a_check_tells_the_lengths_and_how_many_will_be_cut(
    azureml_local: AzureMLLocal, connection: Any
) -> None:
    long = {
        "messages": [{"role": "user", "content": "How much? " * 60}, {"role": "assistant", "content": "No."}]
    }
    repo = put_splits(
        azureml_local, "tests/tokens", {key: [*([conversation(1)] * 30), long] for key in PARTS}
    )
    params = {"dataset": repo, "split_pc": 100, "finetune_parameters": {"max_seq_length": 50}}
    found = checking.check_params(params, AzureMLHook(), *MODEL)["tokens"]
    train = found["train_sft"]
    assert found["limit"] == 50
    assert (train["conversations"], train["cut"]) == (31, 1)
    assert train["p50"] == train["p95"] < 50 < train["longest"]
    assert train["total"] == 30 * train["p50"] + train["longest"]
    # What is in the workspace already is counted, too.
    assert checking.check_params(params, AzureMLHook(), *MODEL)["tokens"] == found


def test_without_the_models_files_nothing_is_estimated(azureml_local: AzureMLLocal, connection: Any) -> None:
    repo = put_splits(azureml_local, "tests/no-tokens", {key: [conversation(1)] for key in PARTS})
    checked = checking.check_params({"dataset": repo}, AzureMLHook(), "no-such", "1")
    assert set(checked["tokens"]) == {"unknown"}
    assert checked["rows"]["train_sft"] == 1


def test_a_tokenizer_that_is_none_is_said(model_files: dict[str, bytes]) -> None:
    for spoilt in (
        {},
        {**model_files, "tokenizer.json": b"{}"},
        {**model_files, "tokenizer_config.json": b"["},
    ):
        with pytest.raises(NoTokenizerError):
            ChatTokenizer(spoilt)


def with_template(model_files: dict[str, bytes], template: str) -> ChatTokenizer:
    return ChatTokenizer({**model_files, "chat_template.jinja": template.encode()})


def test_what_the_models_template_refuses_is_refused_before_the_job(model_files: dict[str, bytes]) -> None:
    refusing = with_template(model_files, "{{ raise_exception('No system turn, please') }}")
    with pytest.raises(InputError, match=r"chat template refuses .*No system turn, please"):
        refusing.count([talk("a", "b")["messages"]])


def test_a_template_reaches_nothing_of_the_worker(model_files: dict[str, bytes]) -> None:
    nosy = with_template(model_files, "{{ messages.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(NoTokenizerError, match="cannot be applied here"):
        nosy.count([talk("a", "b")["messages"]])
