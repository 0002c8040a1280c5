"""``make chaos-mutants``: plants bugs in a copy of the product, one at a time, and sees that each is noticed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import yaml

from include.launcher.paths import ROOT
from tests.chaos import copies

TABLE: Final = Path(__file__).with_name("mutants.yaml")
OUT: Final = ROOT / ".local" / "chaos-mutants.json"
REQUIRED: Final = 0.95
CASE_SECONDS: Final = 1800


@dataclass(frozen=True)
class Mutant:
    """A planted bug; see the head of :file:`mutants.yaml`."""

    name: str
    file: str
    old: str
    new: str
    why: str
    tests: str = ""
    cases: tuple[str, ...] = ()

    @property
    def noticing(self) -> list[str]:
        """All that should notice it, as the user would run it."""
        return [*([f"pytest {self.tests}"] if self.tests else []), *self.cases]

    def applies(self, root: Path) -> bool:
        """Whether the old text stands in the file exactly once."""
        return (root / self.file).read_text().count(self.old) == 1


@dataclass(frozen=True)
class Outcome:
    """What came of one mutant; ``killed_by`` is the first test or case that noticed it."""

    mutant: Mutant
    killed_by: str | None
    problem: str = ""

    def row(self) -> dict[str, Any]:
        """As JSON."""
        row = {"patch": self.mutant.name, "cases": self.mutant.noticing, "killed_by": self.killed_by}
        return row | ({"problem": self.problem} if self.problem else {})


def load() -> list[Mutant]:
    """The whole table."""
    rows = yaml.safe_load(TABLE.read_text())
    return [Mutant(**{**row, "cases": tuple(row.get("cases", ()))}) for row in rows]


@contextmanager
def planted(mutant: Mutant, tree: Path) -> Iterator[None]:
    """The tree with the bug in it."""
    file = tree / mutant.file
    text = file.read_text()
    file.write_text(text.replace(mutant.old, mutant.new))
    try:
        yield
    finally:
        file.write_text(text)


def hunt(mutant: Mutant, tree: Path, tests: copies.Pytest, *, with_cases: bool) -> Outcome:
    """Plant a bug and ask its tests, then its cases, whether they notice."""
    if not mutant.applies(ROOT):
        return Outcome(mutant, None, f"the old text does not stand in {mutant.file} exactly once")
    with planted(mutant, tree):
        if mutant.tests:
            killer, problem = tests.run(mutant.tests)
            if killer or problem:
                return Outcome(mutant, killer, problem)
        return Outcome(mutant, _cases(mutant.cases, tree) if with_cases else None)


def _run(command: list[str], tree: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*copies.python(tree), *command],
        cwd=tree,
        env=copies.environment(tree),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def _cases(names: Iterable[str], tree: Path) -> str | None:
    for name in names:
        if _run(["tests.chaos", "--cases", name], tree, CASE_SECONDS).returncode == 1:
            return name
    return None


def baseline(mutants: Iterable[Mutant], tree: Path) -> list[str]:
    """The selections of tests that fail without any bug, and so prove nothing."""
    selections = sorted({mutant.tests for mutant in mutants if mutant.tests})
    with copies.warm(tree) as tests:
        return [selection for selection in selections if tests.run(selection) != (None, "")]


def _share(mutants: list[Mutant], with_cases: bool) -> list[Outcome]:
    """Hunt some mutants in a copy of their own."""
    outcomes = []
    with copies.copy_of_the_tree() as tree, copies.warm(tree) as tests:
        for mutant in mutants:
            outcome = hunt(mutant, tree, tests, with_cases=with_cases)
            outcomes.append(outcome)
            print(f"{'killed  ' if outcome.killed_by else 'SURVIVES'} {mutant.name}: ", end="")
            print(outcome.killed_by or outcome.problem or mutant.why, flush=True)
    return outcomes


def main(arguments: list[str] | None = None) -> int:
    """Hunt; 0 if enough are killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutants", description=__doc__)
    parser.add_argument("--names", default="*", help="shell pattern on the names")
    parser.add_argument("--jobs", type=int, default=1, help="how many side by side")
    parser.add_argument("--no-cases", action="store_true", help="ask pytest alone, start no Airflow")
    parser.add_argument("--baseline", action="store_true", help="first see that the tests pass without a bug")
    parser.add_argument("--list", action="store_true", help="name the bugs, plant none")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    chosen = [mutant for mutant in load() if fnmatchcase(mutant.name, options.names)]
    if options.list:
        print(*(f"{mutant.name}: {mutant.why}" for mutant in chosen), f"{len(chosen)} bugs", sep="\n")
        return 0
    if not chosen:
        print(f"No bug matches {options.names!r}.", file=sys.stderr)
        return 2
    if options.baseline:
        with copies.copy_of_the_tree() as tree:
            if red := baseline(chosen, tree):
                print("These fail without any bug:", *red, sep="\n", file=sys.stderr)
                return 2
    with ThreadPoolExecutor(options.jobs) as pool:
        shares = [chosen[start :: options.jobs] for start in range(options.jobs)]
        found = pool.map(lambda share: _share(share, not options.no_cases), shares)
        outcomes = [one for share in found for one in share]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([one.row() for one in outcomes], indent=1) + "\n")
    killed = sum(one.killed_by is not None for one in outcomes)
    print(f"{killed} of {len(outcomes)} planted bugs are noticed.")
    return 0 if killed >= REQUIRED * len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
