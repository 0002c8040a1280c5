"""What must hold after each run, looked at from the outside."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from azureml_local.jobs.history import ACTIVE
from include.launcher import environment
from include.launcher.outcome import error_sentence
from tests.chaos import promises
from tests.chaos.run import POLL_SECONDS, Run, reading
from tests.chaos.world import World

TOKEN = re.compile(rb"eyJ[\w-]{12,}\.eyJ[\w-]{12,}\.")
SIGNATURE = re.compile(rb"[?&]sig=(?!\*)[\w%+/=]{8,}")
RETRIED_TRAINING = ("service-restarted",)
"""Faults after which a second training is right: the first one failed, and not for a reason of its own."""
STOPPED_TRAINING = ("task-cleared",)


@dataclass
class Result:
    """A row of ``chaos.json``; ``ok`` if all holds. The last two fields say why not."""

    task: str
    fault: str
    mode: str
    state: str
    expected_state: str
    jobs: int
    trainings: int
    models: int
    endpoints_left_before_reap: int
    jobs_left_before_reap: int
    cleaned_seconds: float | None
    endpoints_left: int
    secrets_found: int
    seconds: float
    ok: bool

    def row(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def endpoints(run: Run) -> int:
    """The run's endpoints that exist."""
    return len(run.documents("onlineEndpoints"))


def alive(run: Run) -> list[str]:
    """The run's jobs that are not over."""
    return [name for name, status in run.jobs().items() if status in ACTIVE]


@dataclass(frozen=True)
class Remains:
    """What a run that has ended has left, before the reaper, at the end of the time that is allowed for it."""

    endpoints: int
    jobs: int
    cleaned_seconds: float | None
    """From the run's end until nothing was left; None if something is."""
    allowed_seconds: int

    @property
    def problems(self) -> list[str]:
        """A sentence if something is left."""
        if self.cleaned_seconds is not None:
            return []
        return [
            f"{self.endpoints} endpoints and {self.jobs} jobs are left {self.allowed_seconds} s after the run's end, "
            "and docs/guarantees.md allows none"
        ]


def remains(run: Run) -> Remains:
    """Look until nothing is left, as long as docs/guarantees.md allows it; at least once."""
    allowed, began = promises.seconds(run.case, run.state()), time.monotonic()
    while True:
        seconds, left, living = time.monotonic() - began, endpoints(run), len(alive(run))
        # A task that is being killed may still make something.
        if not left and not living and not (allowed and run.is_busy()):
            return Remains(0, 0, round(seconds, 1), allowed)
        if seconds >= allowed:
            return Remains(left, living, None, allowed)
        time.sleep(min(POLL_SECONDS, allowed - seconds))


def judge(run: Run, before: Remains, seconds: float) -> tuple[Result, list[str]]:
    """The case's row, and a sentence for each thing that does not hold."""
    case, state, trainings = run.case, run.state(), run.trainings()
    found = secrets(run)
    result = Result(
        task=case.task,
        fault=case.fault,
        mode=case.mode,
        state=state,
        expected_state=case.expected_state,
        jobs=len(run.jobs()),
        trainings=trainings,
        models=len(run.documents("models")),
        endpoints_left_before_reap=before.endpoints,
        jobs_left_before_reap=before.jobs,
        cleaned_seconds=before.cleaned_seconds,
        endpoints_left=endpoints(run),
        secrets_found=len(found),
        seconds=round(seconds, 1),
        ok=False,
    )
    wrong = [*_wrong(run, result), *before.problems, *found]
    result.ok = not wrong
    return result, wrong


def _wrong(run: Run, result: Result) -> list[str]:
    case, wrong = run.case, []
    if result.state != case.expected_state:
        wrong.append(f"the run is {result.state}, not {case.expected_state}: {_why(run)}")
    if result.endpoints_left:
        wrong.append("an endpoint is left")
    if living := alive(run):
        wrong.append(f"jobs are alive: {', '.join(living)}")
    most = (
        2
        if case.fault in RETRIED_TRAINING or (case.task, case.fault) == ("submit_job", "task-cleared")
        else 1
    )
    if result.trainings > most:
        wrong.append(f"{result.trainings} trainings were paid, {most} would do")
    if result.models > 1:
        wrong.append(f"{result.models} versions of the model were registered")
    if case.says and result.state == "failed":
        said = _why(run)
        if not re.search(case.says, said, re.IGNORECASE):
            wrong.append(f"the error does not say {case.says!r}: {said}")
    return wrong


def _why(run: Run) -> str:
    """The error of the case's task, or of the first task that failed but the verdict."""
    airflow = run.world.stack.airflow
    failed = [row for row in airflow.tasks(run.dag_id, run.run_id) if row.state == "failed"]
    if not failed:
        states = [
            f"{task} {state}" for task, state in run.tasks().items() if state not in ("success", "None")
        ]
        return f"no task has failed; {', '.join(states) or 'all are green'}"
    failed.sort(key=lambda row: (row.task_id != run.case.task, row.task_id == "verdict"))
    lines = [
        line
        for attempt in range(1, failed[0].try_number + 1)
        for line in airflow.log(run.dag_id, run.run_id, failed[0].task_id, attempt)
    ]
    return f"{failed[0].task_id}: {error_sentence(lines)[:700]}"


def needles(world: World) -> set[bytes]:
    """The secrets of a stack that must not be found."""
    own = environment.load_secrets(world.stack.paths)
    azure = environment.azure(world.stack.paths)
    values = {world.password, azure["IDENTITY_HEADER"], own["fernet_key"], own["jwt_secret"]}
    for file in (world.stack.paths.azureml_home / "secrets").rglob("*"):
        if file.is_file() and file.stat().st_size < 200:
            values.add(file.read_text(errors="ignore").strip())
    return {text.encode() for text in values if len(text) > 11}


def secrets(run: Run) -> list[str]:
    """Places where a secret stands: the run's task logs, and its rows in the metadata database."""
    values = needles(run.world) | {key.encode() for key in run.keys}
    folder = run.world.stack.paths.airflow_home / "logs" / f"dag_id={run.dag_id}" / f"run_id={run.run_id}"
    leaks = [
        f"a secret stands in the log {file.relative_to(folder)}: {hit}"
        for file in sorted(folder.rglob("*.log"))
        if (hit := _hit(file.read_bytes(), values))
    ]
    with reading(run.world.stack.paths.airflow_home / "airflow.db") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            if "run_id" in columns:
                rows = database.execute(f"SELECT * FROM {table} WHERE run_id = ?", (run.run_id,)).fetchall()
                if hit := _hit(repr(rows).encode(), values):
                    leaks.append(f"a secret stands in the table {table}: {hit}")
    return leaks


def whole_database(world: World) -> list[str]:
    """Secrets anywhere in the files of the metadata database, trigger rows and connections among them."""
    values = needles(world) - {b""}
    return [
        f"a secret stands in the metadata database: {hit}"
        for file in sorted(Path(world.stack.paths.airflow_home).glob("airflow.db*"))
        if (hit := _hit(file.read_bytes(), values))
    ]


def _hit(content: bytes, values: set[bytes]) -> str:
    for secret in values:
        if secret in content:
            return f"{secret[:4].decode(errors='replace')}..., {len(secret)} characters"
    for name, pattern in (("a token", TOKEN), ("a signature", SIGNATURE)):
        if pattern.search(content):
            return name
    return ""
