"""The cases as data: which task, which fault, which way of waiting, and how the run must end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import yaml

TABLE: Final = Path(__file__).with_name("rules.yaml")

TASKS: Final = (
    "connect",
    "choose_model",
    "validate_compute",
    "check_data",
    "resolve_parameters",
    "check_endpoint",
    "prepare_compute",
    "prepare_data",
    "submit_job",
    "wait_for_job",
    "review_metrics",
    "register_model",
    "create_endpoint",
    "deploy",
    "smoke_test",
    "cancel_job",
    "delete_endpoint",
    "verdict",
)
"""Every task of the Dag, in its order."""

GROUPS: Final = {
    "all": TASKS,
    "talking": tuple(task for task in TASKS if task != "verdict"),
    "retried": tuple(task for task in TASKS if task != "verdict"),
    "creating": (
        "prepare_compute",
        "prepare_data",
        "submit_job",
        "register_model",
        "create_endpoint",
        "deploy",
        "delete_endpoint",
    ),
}

SHARED: Final = frozenset({"scheduler-killed", "triggerer-killed", "service-restarted", "token-expired"})
"""Faults that meet every run of a stack at once."""

TIMEOUT_SECONDS: Final = 40.0
RUN_TIMEOUT_SECONDS: Final = 3600.0


@dataclass(frozen=True)
class Case:
    """One run with one fault.

    Attributes:
        task: the task that it meets.
        fault: what happens.
        mode: ``sync``, or ``deferred`` where the waiting is done in the triggerer.
        expected_state: of the Dag run.
        why: the reason for that, one sentence.
        says: pattern that the failed task's error must match; empty for none.
        fast: whether it is in the fast tenth, which has each fault once.
    """

    task: str
    fault: str
    mode: str
    expected_state: str
    why: str
    says: str = ""
    fast: bool = False

    @property
    def name(self) -> str:
        """For example ``submit_job.lost-response.sync``; a part of the run's id."""
        return f"{self.task}.{self.fault}.{self.mode}"

    @property
    def dag_id(self) -> str:
        """The variant of the Dag that it runs."""
        if self.fault == "task-timeout" or (
            self.fault == "operation-stuck" and self.expected_state == "failed"
        ):
            return f"chaos-timeout-{self.task}"
        return "chaos-run-timeout" if self.fault == "run-timeout" else "chaos"


def load() -> list[Case]:
    """All cases of the table."""
    return [case for rule in yaml.safe_load(TABLE.read_text()) for case in _cases(rule)]


def _cases(rule: dict[str, object]) -> Iterable[Case]:
    tasks = rule["tasks"]
    for task in GROUPS[tasks] if isinstance(tasks, str) else tasks:  # type: ignore[attr-defined]
        for mode in rule.get("modes", ["sync"]):  # type: ignore[attr-defined]
            yield Case(
                task=str(task),
                fault=str(rule["fault"]),
                mode=str(mode),
                expected_state=str(rule["expect"]),
                why=str(rule["why"]),
                says=str(rule.get("says", "")),
                fast=rule.get("once") == (f"{task}/{mode}" if mode != "sync" else task),
            )


def matching(cases: Iterable[Case], pattern: str) -> list[Case]:
    """The cases whose name matches a shell pattern, or one of several with commas between."""
    patterns = [part.strip() for part in pattern.split(",")]
    return [case for case in cases if any(fnmatchcase(case.name, part) for part in patterns)]


def dags(cases: Iterable[Case]) -> dict[str, object]:
    """Dag id -> knobs, for :file:`dags/chaos.py`: only the variants that the cases need."""
    variants: dict[str, object] = {"chaos": {}}
    for case in cases:
        if case.dag_id.startswith("chaos-timeout"):
            variants[case.dag_id] = {"timeouts": {case.task: TIMEOUT_SECONDS}}
        elif case.dag_id == "chaos-run-timeout":
            variants[case.dag_id] = {"dagrun_timeout": RUN_TIMEOUT_SECONDS}
    return variants
