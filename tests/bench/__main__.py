"""``python -m tests.bench``: how the local Azure ML carries load on one core; figures against their aims."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.load import Outcome, at_rate
from tests.support.azureml_service import (
    ROOT,
    AzureMLLocal,
    free_port,
    read_environment,
    start_azureml_local,
    stop_azureml_local,
)

RATE, P99_MS, START_SECONDS = 200.0, 50.0, 3.0
"""The aims: requests a second, their 99th percentile in ms, and a cold start in seconds."""
WARM_SECONDS, IDLE_MIB, WHEEL_MB = 0.7, 60.0, 2.0
"""The aims of every later start, of the memory that an idle service holds, and of what is installed."""
WARM_STARTS = 5
JOB = {
    "properties": {
        "jobType": "Command",
        "command": "echo bench",
        "environmentId": "azureml:bench:1",
        "computeId": "bench",
    }
}
COMPUTE = {
    "location": "eastus",
    "properties": {
        "computeType": "AmlCompute",
        "properties": {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 1}},
    },
}
DATA = {"properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}}


def _line(what: str, figure: str, aim: str = "", share: float | None = None) -> None:
    """Print a figure; ``share`` is the figure as a part of its aim."""
    against = f"  aim {aim}, ratio {share:.2f}" if share is not None else ""
    print(f"{what:<46}{figure:>26}{against}", flush=True)


def _cpu(pid: int) -> float:
    """Seconds of a core that a process has used; unlike the clock, the same on a busy machine."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _told(what: str, load: Outcome, cpu: float) -> None:
    busy = f"{cpu / load.sent * 1000:.2f} ms, {cpu / load.sent * RATE:.0%} of the core"
    _line(f"{what}: core time a request", busy)
    _line(f"{what}: answers a second", f"{load.rate:.0f}", f"{RATE:.0f}", load.rate / RATE)
    _line(f"{what}: p50 / p99 / most", f"{load.p50:.1f}/{load.p99:.1f}/{load.most:.1f} ms")
    _line(f"{what}: p99", f"{load.p99:.1f} ms", f"< {P99_MS:.0f} ms", load.p99 / P99_MS)
    if load.failed:
        raise SystemExit(f"{what}: {load.failed} of {load.sent} requests were not answered with 200.")


def _memory(pid: int) -> float:
    """Resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/{pid}/status tells no VmRSS.")


def _mixed(service: AzureMLLocal) -> list[str]:
    """Make some resources; the paths that read them, single ones and lists."""
    service.arm("PUT", "/computes/bench", json=COMPUTE)
    for number in range(1, 21):
        service.arm("PUT", f"/data/bench/versions/{number}", json=DATA)
    scope = service.arm("GET", "").json()["id"]
    below = [
        "",
        "/computes",
        "/computes/bench",
        "/data/bench",
        "/data/bench/versions/1",
        "/data/bench/versions",
        "/datastores/workspaceblobstore",
        "/jobs",
        "/onlineEndpoints",
        "/models",
    ]
    return [f"{scope}{path}?api-version=2024-10-01-preview" for path in below]


def _load(what: str, service: AzureMLLocal, pid: int, paths: list[str], seconds: float) -> None:
    """Put the aim's rate on the service for so long, and tell how it went."""
    ca, count, before = str(service.home / "ca.pem"), int(RATE * seconds), _cpu(pid)
    load = asyncio.run(at_rate(service.base_url, ca, service.token(), paths, rate=RATE, count=count))
    _told(what, load, _cpu(pid) - before)


def _jobs(service: AzureMLLocal, scope: str, number: int) -> list[str]:
    """Submit jobs under manual time, where they stay Queued; their paths."""
    service.post("/_local/time", {"policy": "manual", "noun": "jobs"})
    headers, start = service.token(), time.perf_counter()
    for index in range(number):
        path = f"{scope}/jobs/bench-{index}?api-version=2024-01-01-preview"
        service.http.put(path, json=JOB, headers=headers).raise_for_status()
    took = time.perf_counter() - start
    _line(f"{number} jobs submitted, one after another", f"{number / took:.0f} a second")
    return [f"{scope}/jobs/bench-{index}?api-version=2024-01-01-preview" for index in range(number)]


def _warm_starts(home: Path, cores: list[int]) -> None:
    """Start on a home that has its keys, on one core; tell the time to the first answer, and the memory then."""
    stop_azureml_local(start_azureml_local(home, free_port()))
    took, busy, held = [], [], []
    os.sched_setaffinity(0, cores[:1])
    for _ in range(WARM_STARTS):
        start = time.perf_counter()
        process = start_azureml_local(home, free_port())
        took.append(time.perf_counter() - start)
        busy.append(_cpu(process.pid))
        held.append(_memory(process.pid))
        stop_azureml_local(process)
    os.sched_setaffinity(0, cores)
    seconds, memory = statistics.median(took), statistics.median(held)
    _line("warm start to first answer", f"{seconds:.2f} s", f"<= {WARM_SECONDS} s", seconds / WARM_SECONDS)
    _line("warm start: core time", f"{statistics.median(busy):.2f} s")
    _line("memory when idle", f"{memory:.0f} MiB", f"<= {IDLE_MIB:.0f} MiB", memory / IDLE_MIB)


def _wheel(folder: Path) -> None:
    source, ignored = folder / "source", shutil.ignore_patterns("__pycache__", "*.egg-info", ".build")
    shutil.copytree(ROOT / "include" / "azureml_local", source, ignore=ignored)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    size = next(folder.glob("*.whl")).stat().st_size / 1e6
    _line("wheel", f"{size:.2f} MB", f"<= {WHEEL_MB:.0f} MB", size / WHEEL_MB)


def main() -> int:
    """Run the benchmark; returns 0, also where an aim is missed: the machine may be busy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the mixed load")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs submitted and polled")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="azureml-bench-") as folder:
        home, port = Path(folder), free_port()
        _wheel(home / "wheel")
        _warm_starts(home / "warm", cores)
        # The service inherits the one core; the load is made on the others, if there are any.
        os.sched_setaffinity(0, cores[:1])
        home = home / "load"
        start = time.perf_counter()
        process = start_azureml_local(home, port)
        took = time.perf_counter() - start
        os.sched_setaffinity(0, cores[1:] or cores)
        service = AzureMLLocal(f"https://localhost:{port}", home, read_environment(home))
        try:
            _line(
                "cold start, first time (makes its keys)", f"{took:.2f} s", f"< {START_SECONDS} s", took / 3
            )
            _line("cold start: core time", f"{_cpu(process.pid):.2f} s")
            paths = _mixed(service)
            _load("mixed reads", service, process.pid, paths, given.seconds)
            polls = _jobs(service, paths[0].partition("?")[0], given.jobs)
            _load(f"{given.jobs} jobs polled", service, process.pid, polls, given.jobs / RATE)
            _load(f"mixed reads beside {given.jobs} jobs", service, process.pid, paths, given.seconds / 2)
            _line(f"memory with {given.jobs} jobs", f"{_memory(process.pid):.0f} MiB")
        finally:
            service.http.close()
            stop_azureml_local(process)
    return 0


if __name__ == "__main__":
    sys.exit(main())
