"""Stands for every step of the training pipeline: writes each output that its command names, in milliseconds.

Run as ``python step.py <component> [--<output> PATH]...``. Only the standard library is used. The training
step waits as long as a file of ``holds/`` beside the local Azure ML's home bears the job's name, or its start:
so a fault can meet it while it runs, without a race.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE_SECONDS = 240
LOSSES = {"loss": 1.5, "train_loss": 1.5, "eval_loss": 1.6, "base_train_loss": 3.1, "base_eval_loss": 3.2}
MLMODEL = "flavors:\n  python_function:\n    loader_module: mlflow.transformers\nmodel_uuid: chaos\n"


def main() -> None:
    """Wait while a hold of its run exists, then write."""
    component, *rest = sys.argv[1:]
    print(f"{component} starts", flush=True)
    if component == "chat_completion_finetune":
        _hold(Path.cwd().parents[3] / "holds", os.environ["AZUREML_ROOT_RUN_ID"])
        _send(LOSSES)
    for name, path in zip(rest[::2], rest[1::2], strict=True):
        _write(name.removeprefix("--"), Path(path))
    print(f"{component} is done", flush=True)


def _hold(holds: Path, job: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(job.startswith(hold.name) for hold in holds.glob("*")) and time.monotonic() < deadline:
        time.sleep(0.1)


def _write(name: str, path: Path) -> None:
    if name == "validation_info":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"status": "ok"}))
        return
    path.mkdir(parents=True, exist_ok=True)
    (path / "MLmodel").write_text(MLMODEL)


def _send(losses: dict[str, float]) -> None:
    """Metrics to MLflow, as the real step does it; without them the run goes on."""
    now = int(time.time() * 1000)
    body = {
        "run_id": os.environ["MLFLOW_RUN_ID"],
        "metrics": [
            {"key": key, "value": value, "timestamp": now, "step": 1} for key, value in losses.items()
        ],
    }
    request = urllib.request.Request(
        f"{os.environ['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/runs/log-batch",
        json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}",
            "Content-Type": "application/json",
        },
    )
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    try:
        urllib.request.urlopen(request, timeout=10, context=context).close()
    except urllib.error.URLError as error:
        print(f"MLflow did not take the metrics: {error}", flush=True)


if __name__ == "__main__":
    main()
