"""A scoring script that tells what it finds in its model folder, and writes where it is told to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["AZUREML_MODEL_DIR"])


def init() -> None:
    """Nothing to load."""


def run(data: str) -> Any:
    """The model's files and links; a body ``{"write": "<file>"}`` first changes one of them."""
    import json

    asked = json.loads(data)
    if "write" in asked:
        with (FOLDER / asked["write"]).open("a") as file:
            file.write("changed")
    if "load" in asked:
        import mlflow.pyfunc

        return {"answer": mlflow.pyfunc.load_model(str(FOLDER / asked["load"])).predict([3])}
    found = sorted(FOLDER.rglob("*"))
    return {
        "files": {
            path.relative_to(FOLDER).as_posix(): path.stat().st_size for path in found if path.is_file()
        },
        "links": [path.name for path in (FOLDER, *found) if path.is_symlink()],
    }
