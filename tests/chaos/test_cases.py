"""The table of cases: large enough, nothing left out, and each with its reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.chaos import cases, faults, stacks
from tests.chaos.__main__ import main
from tests.chaos.catalogue import write

CASES = cases.load()
ISSUE = {
    "worker-killed",
    "task-terminated",
    "task-timeout",
    "run-timeout",
    "run-marked-failed",
    "marked-failed-deferred",
    "task-cleared",
    "triggerer-killed",
    "scheduler-killed",
    "throttled",
    "server-error",
    "unavailable",
    "reset",
    "lost-response",
    "operation-stuck",
    "operation-failed",
    "quota-refused",
    "preemption",
    "job-canceled",
    "not-responding",
    "token-expired",
    "malformed",
    "service-restarted",
}
"""The faults that there must be."""
DAG = (Path(__file__).parents[2] / "dags" / "finetune_chat_completion.py").read_text()


def test_there_are_at_least_150_cases_and_no_two_are_the_same() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_fault_is_there_and_the_fast_tenth_has_each_once() -> None:
    assert {case.fault for case in CASES} >= ISSUE
    fast = [case.fault for case in CASES if case.fast]
    assert sorted(fast) == sorted(ISSUE)


def test_every_task_of_the_dag_meets_faults_and_none_is_made_up() -> None:
    of_the_dag = set(re.findall(r'task_id="(\w+)"', DAG)) | {"check_data", "resolve_parameters", "verdict"}
    tasks = {case.task for case in CASES}
    assert of_the_dag <= tasks
    assert tasks - of_the_dag <= {"cancel_job"}


def test_each_case_says_how_it_must_end_and_why() -> None:
    for case in CASES:
        assert case.expected_state in ("success", "failed"), case.name
        assert case.mode in ("sync", "deferred"), case.name
        assert case.why.endswith("."), case.name


def test_cases_are_chosen_by_patterns() -> None:
    chosen = cases.matching(CASES, "deploy.quota-refused.*, connect.throttled.sync")
    assert [case.name for case in chosen] == ["connect.throttled.sync", "deploy.quota-refused.sync"]


def test_the_chosen_cases_are_named_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--cases", "connect.throttled.sync"]) == 0
    assert capsys.readouterr().out.splitlines() == ["connect.throttled.sync", "1 cases"]


def test_a_pattern_that_no_case_matches_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--cases", "nonsense"]) == 2
    assert "No case matches 'nonsense'" in capsys.readouterr().err


def test_a_variant_of_the_dag_is_made_only_for_cases_that_need_it() -> None:
    assert cases.dags(cases.matching(CASES, "connect.throttled.sync")) == {"chaos": {}}
    limited = cases.dags(cases.matching(CASES, "connect.task-timeout.sync"))
    assert limited["chaos-timeout-connect"] == {"timeouts": {"connect": cases.TIMEOUT_SECONDS}}


def test_cases_that_share_a_fault_go_to_one_stack_and_none_is_lost() -> None:
    shares = stacks.share(CASES, 3)
    assert sorted(case.name for part in shares for case in part) == sorted(case.name for case in CASES)
    for fault in cases.SHARED:
        assert sum(any(case.fault == fault for case in part) for part in shares) == 1


def test_every_task_that_creates_something_has_the_request_by_which_it_does() -> None:
    assert set(faults.WRITES) == set(cases.GROUPS["creating"])


def test_the_quick_components_have_the_inputs_and_outputs_of_the_real_ones(tmp_path: Path) -> None:
    written = sorted(file.name for file in (write(tmp_path) / "components").iterdir())
    assert len(written) == 5
    text = (tmp_path / "components" / "chat_completion_finetune.yaml").read_text()
    assert "python -I -S step.py chat_completion_finetune --pytorch_model_folder" in text
    assert "num_train_epochs" in text
