"""The cases shared out among stacks, each with a process of its own that drives it.

A stack's services read their addresses from the environment, so two stacks need two processes.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Empty
from typing import Any

from rich.console import Console

from include.launcher import processes
from tests.chaos import cases as table
from tests.chaos import report
from tests.chaos.cases import Case
from tests.chaos.invariants import Result

WAVE_WEIGHT = 2
"""How many cases with a fault of their own take as long as one with a shared fault."""


def run(
    chosen: Sequence[Case], stacks: int, keep: bool, console: Console
) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Share the cases out among stacks; the rows, and what is wrong by case."""
    shares = share(chosen, stacks)
    context = multiprocessing.get_context("spawn")
    news: Any = context.Queue()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    workers = [
        context.Process(target=_work, args=(folder / str(number), number, cases, news))
        for number, cases in enumerate(shares)
    ]
    rows: list[dict[str, Any]] = []
    wrong: dict[str, list[str]] = {}
    began = time.monotonic()
    try:
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers) or not news.empty():
            try:
                name, row, problems = news.get(timeout=1)
            except Empty:
                continue
            if row is not None:
                rows.append(row)
                report.tell(console, row, problems, len(rows), len(chosen), time.monotonic() - began)
            if problems:
                wrong[name] = problems
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
            worker.join(10)
            worker.kill()
        for number in range(len(shares)):
            processes.end(folder / str(number))
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            console.print(f"The stacks' folders: {folder}")
    done = {f"{row['task']}.{row['fault']}.{row['mode']}" for row in rows}
    for case in chosen:
        if case.name not in done and case.name not in wrong and case.task != "cancel_job":
            wrong[case.name] = ["it was not run: its stack ended before"]
    rows.sort(key=lambda row: (table.TASKS.index(row["task"]), row["fault"], row["mode"]))
    return rows, wrong


def share(chosen: Sequence[Case], stacks: int) -> list[list[Case]]:
    """The cases of each stack. Shared faults go to one stack, whose waves wait more than they work."""
    shares: list[list[Case]] = [[] for _ in range(max(1, min(stacks, len(chosen))))]
    shares[0] = [case for case in chosen if case.fault in table.SHARED]
    weights = [WAVE_WEIGHT * len(shares[0]), *(0 for _ in shares[1:])]
    for case in chosen:
        if case.fault not in table.SHARED:
            least = weights.index(min(weights))
            shares[least].append(case)
            weights[least] += 1
    return [part for part in shares if part]


def _work(local: Path, number: int, cases: Sequence[Case], news: Any) -> None:
    """One stack, in a process of its own."""
    signal.signal(signal.SIGTERM, lambda code, _: sys.exit(128 + code))
    from tests.support.azureml_service import free_port

    for variable in ("AIRFLOW_PORT", "AZUREML_LOCAL_PORT"):
        os.environ[variable] = str(free_port())
    from tests.chaos import runner

    def say(case: Case, result: Result, problems: list[str]) -> None:
        news.put((case.name, result.row(), problems))

    try:
        outcome = runner.stack(local, cases, say)
    except Exception as error:
        news.put((f"stack {number}", None, [repr(error)]))
        raise
    if problems := outcome.wrong.get("the metadata database"):
        news.put(("the metadata database", None, problems))
