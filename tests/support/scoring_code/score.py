"""A tiny scoring script: adds one to the model's number, and does what else a request says."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from helper import answer  # type: ignore[import-not-found]  # lies beside this script

state: dict[str, Any] = {"count": 0}


def init() -> None:
    """Read the model, as slowly and as greedily as the deployment's variables say."""
    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    state["number"] = int((folder / os.environ.get("MODEL_FILE", "weights/numbers.txt")).read_text())
    time.sleep(float(os.environ.get("LOAD_SECONDS", "0")))
    if os.environ.get("CRASH"):
        raise RuntimeError("the weights are not those of this model")
    print("model read", flush=True)


def run(data: str) -> dict[str, Any]:
    """The answer, or a wait, an error, a hoard of memory or the end, as the request says."""
    request = json.loads(data)
    state["count"] += 1
    print("asked", data, flush=True)
    time.sleep(request.get("sleep", 0))
    if request.get("fail"):
        raise ValueError("no such question")
    if request.get("die"):
        os._exit(3)
    if request.get("stop"):
        os.kill(os.getpid(), signal.SIGSTOP)
    state["hoard"] = b"x" * (request.get("hoard_mb", 0) << 20)
    if request.get("hoard_mb"):
        time.sleep(5)
    result: dict[str, Any] = answer(
        state["number"], {"pid": os.getpid(), "name": os.environ["NAME"], "asked": request}
    )
    return result
