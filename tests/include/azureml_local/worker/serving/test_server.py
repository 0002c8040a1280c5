"""A deployment's process: what it takes, what it answers, what it refuses."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.azureml_service import free_port
from tests.support.compute_environment import COMPUTE, ROOT

QUESTION = [{"role": "user", "content": "What is 1 plus 1?"}]


@pytest.fixture(scope="module")
def deployment(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a deployment of the tiny model."""
    port, log = free_port(), tmp_path_factory.mktemp("serving") / "log"
    script = ROOT / "include/azureml_local/worker/serving/server.py"
    command = [str(COMPUTE), str(script), "--model-dir", str(tiny_model), "--port", str(port)]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=log.parent, stdout=out, stderr=out)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            deadline = time.monotonic() + 90
            while True:
                try:
                    client.get("/").raise_for_status()
                    break
                except httpx.TransportError:
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < deadline, "the deployment did not come up"
                    time.sleep(0.2)
            yield client
    finally:
        process.terminate()
        process.wait(10)


def body(input_string: Any, **parameters: Any) -> dict[str, Any]:
    limits = {"max_new_tokens": 5}
    return {"input_data": {"input_string": input_string, "parameters": limits | parameters}, "params": {}}


def test_one_flat_conversation_gets_one_answer(deployment: httpx.Client) -> None:
    answer = deployment.post("/score", json=body(QUESTION))
    assert answer.status_code == 200
    assert isinstance(answer.json()["output"], str)


def test_a_list_of_conversations_gets_a_list_of_answers(deployment: httpx.Client) -> None:
    sampled = body([QUESTION, QUESTION], do_sample=True, temperature=0.6, top_p=0.9)
    answer = deployment.post("/score", json=sampled)
    assert answer.status_code == 200
    assert [type(text) for text in answer.json()["output"]] == [str, str]


def test_max_new_tokens_limits_the_answer(deployment: httpx.Client) -> None:
    short, long = (
        deployment.post("/score", json=body(QUESTION, max_new_tokens=count)).json()["output"]
        for count in (2, 40)
    )
    assert len(short) < len(long)


REFUSED: dict[str, tuple[Any, str]] = {
    "no input_data": ({"inputs": []}, "The body needs"),
    "no object": ([1], "The body needs"),
    "no list": (body("Hello"), "input_string must be a list"),
    "an empty conversation": (body([[]]), "A conversation must be a list of messages"),
    "an unknown role": (body([{"role": "robot", "content": "x"}]), "A message needs a role"),
    "the assistant last": (
        body([*QUESTION, {"role": "assistant", "content": "2"}]),
        "end with the user's message",
    ),
    "a temperature of text": (body(QUESTION, temperature="hot"), "The parameter temperature is 'hot'"),
    "too great a top_p": (body(QUESTION, top_p=2), "The parameter top_p is 2"),
    "no tokens": (body(QUESTION, max_new_tokens=0), "The parameter max_new_tokens is 0"),
    "sampling that is no switch": (body(QUESTION, do_sample="yes"), "The parameter do_sample is 'yes'"),
    "too long a conversation": (
        body([{"role": "user", "content": "word " * 5000}]),
        "the model reads fewer than",
    ),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_bad_body_is_refused_with_a_sentence(deployment: httpx.Client, case: str) -> None:
    sent, message = REFUSED[case]
    answer = deployment.post("/score", json=sent)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_a_body_that_is_no_json_is_refused(deployment: httpx.Client) -> None:
    answer = deployment.post("/score", content=b"{oops")
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["error"]["message"]
