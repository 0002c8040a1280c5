"""`make bench-data`: 5 % of a full-size data set, as a run reads it and as plain ``datasets`` does, on a slow line."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from tests.bench import data_layout
from tests.bench.wire import wire
from tests.support.azureml_service import ROOT, AzureMLLocal, running
from tests.support.hub_data import put

REPO: Final = "bench/ultrachat"
PC: Final = 5
MBIT: Final = 100.0
READ: Final = ("train_sft", "test_sft", "test_gen")
FOOTER: Final = 64 << 10
"""Bytes at the end of a file that pyarrow asks for before it knows how long the footer is."""

TASK: Final = """
import hashlib, json, logging, sys, time
from airflow.sdk import DAG
from azure_ml.hook import AzureMLHook
from include.finetune import form
import finetune_chat_completion
import datasets, pyarrow.parquet
from include.finetune.data import checking, choice
hook = AzureMLHook()
hook.files.sizes("nothing/")
began = time.monotonic()
{work}
seconds = time.monotonic() - began
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
digest = hashlib.sha256()
{rows}
print(json.dumps({{"seconds": seconds, "rss_mb": peak / 1024, "rows": digest.hexdigest()}}))
"""
"""A process as a task's is: the Dag's file imported, all libraries loaded, the workspace reached. Idle, it stops there;
peak memory is that of the process itself."""
OURS: Final = """
checked = checking.check(choice.choice_of({{"dataset": {repo!r}, "split_pc": {pc}}}), hook.files)
"""
OURS_ROWS: Final = """
for line in hook.data.read_lines(checked["files"]["train"]["uri"]):
    digest.update(json.dumps(json.loads(line)["messages"], sort_keys=True).encode())
"""
PLAIN: Final = """
from datasets import load_dataset
data = load_dataset({repo!r}, split="train_sft[:{pc}%]")
"""
PLAIN_ROWS: Final = """
for row in data:
    digest.update(json.dumps(row["messages"], sort_keys=True).encode())
"""


def child(service: AzureMLLocal, endpoint: str, cache: Path, work: str, rows: str) -> dict[str, Any]:
    """What a process of its own has needed."""
    from include.launcher.azureml_api import connection_extra

    extra = connection_extra(service.environment)
    paths = os.pathsep.join(str(ROOT / name) for name in ("", "plugins", "include", "dags"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TASK.format(work=work, rows=rows)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([paths, os.environ.get("PYTHONPATH", "")]),
            "AIRFLOW_HOME": str(cache / "airflow"),
            "AIRFLOW_CONN_AZURE_ML_DEFAULT": json.dumps({"conn_type": "azure_ml", "extra": extra}),
            "HF_HOME": str(cache / "huggingface"),
            "HF_ENDPOINT": endpoint,
            "HF_HUB_DISABLE_TELEMETRY": "1",
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(service: AzureMLLocal, work: str, rows: str = "", mbit: float = MBIT) -> dict[str, Any]:
    """The same, with the bytes that came over the line from the Hub."""
    with tempfile.TemporaryDirectory(dir=ROOT / ".local") as cache, wire(service.port, mbit) as line:
        text = (part.format(repo=REPO, pc=PC) for part in (work, rows))
        found = child(service, f"https://localhost:{line.port}/hub", Path(cache), *text)
        return {**found, "bytes": line.received}


def bound(files: Iterable[Path]) -> int:
    """PC percent of the bytes, a row group of each file that is touched, and every footer."""
    total = 0.0
    splits: dict[str, list[Path]] = {}
    for file in sorted(files):
        splits.setdefault(file.name.partition("-")[0], []).append(file)
    for parts in (splits[name] for name in READ):
        rows = sum(pq.read_metadata(file).num_rows for file in parts)
        left = max(1, round(rows * PC / 100))
        for file in parts:
            footer = pq.read_metadata(file)
            total += file.stat().st_size * PC / 100 + FOOTER + footer.serialized_size
            if left > 0:
                total += max(footer.row_group(n).total_byte_size for n in range(footer.num_row_groups))
            left -= footer.num_rows
    return int(total)


def compare(service: AzureMLLocal, layout: Path, mbit: float = MBIT) -> dict[str, Any]:
    """Ours and the plain way side by side, and a task that does nothing.

    Raises:
        RuntimeError: if the two got other rows.
    """
    files = list((layout / "data").glob("*.parquet"))
    put(service, REPO, {"README.md": card()})
    (served,) = (service.home / "hub" / REPO.replace("/", "--")).iterdir()
    (served / "data").mkdir(exist_ok=True)
    for file in files:
        (served / "data" / file.name).hardlink_to(file)
    assert service.http.get(f"/hub/api/datasets/{REPO}", timeout=300).is_success  # sums of all files, once
    idle = measure(service, "", mbit=mbit)
    ours = measure(service, OURS, OURS_ROWS, mbit)
    plain = measure(service, PLAIN, PLAIN_ROWS, mbit)
    if ours["rows"] != plain["rows"]:
        raise RuntimeError("The rows of the two are not the same.")
    return {
        "split_pc": PC,
        "bytes_ours": ours["bytes"],
        "bytes_plain": plain["bytes"],
        "bytes_of_all": sum(file.stat().st_size for file in files),
        "bound": bound(files),
        "seconds_ours": round(ours["seconds"], 1),
        "seconds_plain": round(plain["seconds"], 1),
        "rss_ours_mb": round(ours["rss_mb"]),
        "rss_plain_mb": round(plain["rss_mb"]),
        "rss_idle_mb": round(idle["rss_mb"]),
    }


def card() -> bytes:
    """Which file belongs to which split."""
    splits = "".join(f"  - split: {one.name}\n    path: data/{one.name}-*\n" for one in data_layout.FULL)
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n{splits}---\n".encode()


def main() -> None:
    """Make the layout, compare, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1.0 is the full size, 1.6 GB")
    parser.add_argument("--keep", action="store_true", help="keep the layout for another run")
    args = parser.parse_args()
    home = ROOT / ".local/bench-data"
    print("Writing the data set (minutes at full size)", flush=True)
    data_layout.write(
        home / "layout", data_layout.scaled(args.scale) if args.scale != 1 else data_layout.FULL
    )
    shutil.rmtree(home / "service", ignore_errors=True)
    try:
        with running(home / "service") as service:
            figures = compare(service, home / "layout")
    finally:
        shutil.rmtree(home / "service", ignore_errors=True)
        if not args.keep:
            shutil.rmtree(home, ignore_errors=True)
    (ROOT / ".local/bench-data.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
