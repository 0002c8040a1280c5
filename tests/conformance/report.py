"""What became of the SDK's tests: passed, failed or skipped, and why."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

import yaml
from defusedxml import ElementTree

AIM: Final = 0.95
REAL_AZURE: Final = Path(__file__).with_name("real_azure.yaml")


class Result(NamedTuple):
    """The outcome of one test.

    Attributes:
        test: folder, module, class and function, with dots between.
        outcome: ``passed``, ``failed``, ``skipped``, or ``real Azure`` where a failure is due to what only Azure has.
        why: the class of a failure and its first line, or the reason.
    """

    test: str
    outcome: str
    why: str


def read(junit: Path) -> list[Result]:
    """The results in a file of JUnit's form."""
    needs: dict[str, str] = yaml.safe_load(REAL_AZURE.read_text()) or {}
    return [_result(case, needs) for case in ElementTree.parse(junit).iter("testcase")]


def _result(case: Element, needs: dict[str, str]) -> Result:
    name = case.get("name", "")
    test = f"{case.get('classname')}.{name}"
    for child in case:
        message = child.get("message", "").strip().partition("\n")[0]
        if child.tag == "skipped":
            return Result(test, "skipped", message)
        if child.tag in ("failure", "error"):
            reason = needs.get(name.partition("[")[0]) or needs.get(name)
            return Result(test, "real Azure", reason) if reason else Result(test, "failed", message)
    return Result(test, "passed", "")


def write(results: list[Result], target: Path) -> int:
    """Print what did not pass and the counts, and write all of it as JSON; 1 if the share is below the aim."""
    for result in results:
        if result.outcome in ("failed", "real Azure"):
            print(f"{result.outcome:<11} {result.test.removeprefix('tests.')}: {result.why[:160]}")
    counts = Counter(result.outcome for result in results)
    tried = counts["passed"] + counts["failed"]
    share = counts["passed"] / tried if tried else 0.0
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()), f"of {len(results)}")
    print(f"Of those that need no real Azure {share:.0%} pass; aim {AIM:.0%}.")
    body = {"share": round(share, 4), "counts": counts, "tests": [result._asdict() for result in results]}
    target.write_text(json.dumps(body, indent=2) + "\n")
    return 0 if share >= AIM else 1
