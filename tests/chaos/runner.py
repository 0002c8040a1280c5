"""Runs the cases of one stack: those whose fault is their own side by side, shared faults in waves."""

from __future__ import annotations

import itertools
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from include.launcher import processes
from include.launcher.environment import MADE
from tests.chaos import cases as table
from tests.chaos import faults, inject, invariants
from tests.chaos.cases import Case
from tests.chaos.run import FINAL, NotReached, Run
from tests.chaos.world import World, build

LANES = 5
END_SECONDS = 420.0
REAPER = "reap_orphans"
Say = Callable[[Case, invariants.Result, list[str]], None]


@dataclass
class Outcome:
    """What a stack's cases came to: rows, and for each case's name what does not hold."""

    results: list[invariants.Result]
    wrong: dict[str, list[str]]


class Runner:
    """The cases of one stack.

    Args:
        world: the stack.
        say: Called with each result.
    """

    def __init__(self, world: World, say: Say) -> None:
        self._world, self._say = world, say
        self._reaps = itertools.count(1)
        self._has_reaper = world.stack.airflow.find_dag(REAPER) is not None
        self._tasks = set(world.stack.airflow.task_order("chaos"))
        self.outcome = Outcome([], {})

    def skipped(self, cases: Iterable[Case]) -> list[Case]:
        """Those whose task the Dag does not have."""
        return [case for case in cases if case.task not in self._tasks]

    def run(self, cases: Sequence[Case]) -> Outcome:
        """Run them all; what a case finds wrong is in the outcome, and no case ends another."""
        mine = [case for case in cases if case.task in self._tasks]
        alone = [case for case in mine if case.fault not in table.SHARED]
        with ThreadPoolExecutor(LANES) as lanes:
            list(lanes.map(lambda case: self._one(case, None), alone))
        for wave in waves(mine):
            meeting = threading.Barrier(len(wave), action=self._shared(wave[0].fault))
            before = wave[0].fault == "token-expired"
            if before:
                self._tokens(inject.TOKEN_SECONDS)
            with ThreadPoolExecutor(len(wave)) as lanes:
                list(lanes.map(lambda case, at=meeting: self._one(case, at), wave))
            if before:
                self._tokens(3600)
        return self.outcome

    def _tokens(self, seconds: int) -> None:
        self._world.stack.azureml.control("POST", "/_local/tokens", {"lifetime": seconds})

    def _shared(self, fault: str) -> Callable[[], None] | None:
        def kill_and_revive(name: str) -> Callable[[], None]:
            def act() -> None:
                self._world.kill(name)
                time.sleep(1)
                self._world.revive()

            return act

        def restart() -> None:
            self._world.end("azureml-local")
            self._world.revive()

        actions = {
            "scheduler-killed": kill_and_revive("scheduler"),
            "triggerer-killed": kill_and_revive("triggerer"),
            "service-restarted": restart,
        }
        return actions.get(fault)

    def _one(self, case: Case, meeting: threading.Barrier | None) -> None:
        run, began, notes = Run(self._world, case), time.monotonic(), []
        try:
            notes = self._through(run, meeting)
        except Exception as error:
            notes = [f"the harness failed: {error!r}"]
        finally:
            run.release()
        left = invariants.remains(run)
        notes += self._reap(run)
        result, wrong = invariants.judge(run, left, time.monotonic() - began)
        result.ok = result.ok and not notes
        self.outcome.results.append(result)
        if notes + wrong:
            self.outcome.wrong[case.name] = notes + wrong
        self._say(case, result, notes + wrong)

    def _through(self, run: Run, meeting: threading.Barrier | None) -> list[str]:
        """The run from its start to its end; what went wrong with the harness itself."""
        azureml, notes = self._world.stack.azureml, []
        if "dataset" in run.conf():
            azureml.register_dataset(run.conf()["dataset"], _sample())
        azureml.add_faults(faults.armed(run))
        if faults.holds_task(run):
            run.hold_task().touch()
        if faults.holds_job(run):
            run.hold_job().touch()
        if teardown := inject.held_teardown(run.case):
            run.hold_task(teardown).touch()
        run.start()
        try:
            inject.reach(run)
        except NotReached as late:
            notes.append(str(late))
        if meeting is not None:
            meeting.wait(2 * inject.REACH_SECONDS)
        if not notes:
            inject.act(run)
            notes += inject.unheard_kill(run)
            inject.after(run)
        run.release()
        if not run.until(lambda: run.state() in FINAL, END_SECONDS):
            notes.append(f"the run has not ended: {run.tasks()}")
        return notes

    def _reap(self, run: Run) -> list[str]:
        """One run of the reaper after each case; nothing where there is none yet."""
        if not self._has_reaper:
            return []
        airflow, run_id = self._world.stack.airflow, f"after.{next(self._reaps)}.{run.run_id}"
        body: dict[str, object] = {"dag_run_id": run_id, "logical_date": None, "conf": {}}
        self._world.change("POST", f"{REAPER}/dagRuns", body)
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            state = airflow.run_state(REAPER, run_id)["state"]
            if state in FINAL:
                return [] if state == "success" else ["the reaper's run has failed"]
            time.sleep(1)
        return ["the reaper's run has not ended"]


def _sample() -> Path:
    return Path(os.environ.get("AZUREML_LOCAL_SAMPLE", MADE["AZUREML_LOCAL_SAMPLE"]))


def waves(cases: Iterable[Case]) -> Iterator[list[Case]]:
    """Cases that share one fault, as many as a stack runs side by side."""
    for fault in sorted(table.SHARED):
        sharing = [case for case in cases if case.fault == fault]
        for start in range(0, len(sharing), LANES):
            yield sharing[start : start + LANES]


def stack(local: Path, cases: Sequence[Case], say: Say) -> Outcome:
    """Bring a stack up, run the cases, end the stack.

    Args:
        local: folder of the stack.
        cases: what to run.
        say: Called with each result.
    """
    world = build(local, table.dags(cases), password=f"chaos-{secrets.token_hex(8)}")
    try:
        _spot_cluster(world)
        _wait_for_dags(world, set(table.dags(cases)))
        outcome = Runner(world, say).run(cases)
        if problems := invariants.whole_database(world):
            outcome.wrong["the metadata database"] = problems
        return outcome
    finally:
        processes.end(local)


def _wait_for_dags(world: World, dag_ids: set[str]) -> None:
    deadline = time.monotonic() + 120
    while any(world.stack.airflow.find_dag(dag_id) is None for dag_id in dag_ids):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Airflow does not know the Dags: {world.stack.airflow.import_errors()}")
        time.sleep(0.5)


def _spot_cluster(world: World) -> None:
    """A cluster whose nodes may be taken away."""
    azureml = world.stack.azureml
    inner = {
        "vmSize": "Standard_NC24ads_A100_v4",
        "vmPriority": "LowPriority",
        "scaleSettings": {"maxNodeCount": 5},
    }
    body = {"location": "eastus", "properties": {"computeType": "AmlCompute", "properties": inner}}
    azureml.ask("PUT", "computes/spot", "2023-08-01-preview", body)
