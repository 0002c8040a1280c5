"""A copy of the tree to plant bugs in, and pytest for it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from include.launcher.paths import ROOT

SHARED: Final = (".venv", ".venv-compute", ".local/sample", ".local/standin")
"""What a copy of the tree borrows, as it is ignored by git and large."""
TEST_SECONDS: Final = 600
TESTS_FAILED: Final = 1  # exit status of pytest; all above mean that it could not run them


@contextmanager
def copy_of_the_tree() -> Iterator[Path]:
    """A folder with all that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    with tempfile.TemporaryDirectory(prefix="chaos-mutants-") as folder:
        tree = Path(folder) / "tree"
        # The published contracts, where they are there.
        (Path(folder) / "shared").symlink_to(ROOT.parent / "shared")
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree / name)
        (tree / ".local").mkdir(parents=True)
        for name in SHARED:
            (tree / name).symlink_to((ROOT / name).resolve())
        yield tree


def python(tree: Path) -> list[str]:
    """The start of a command that runs a module of the copy."""
    return [str(tree / ".venv" / "bin" / "python"), "-W", "ignore", "-m"]


def environment(tree: Path) -> dict[str, str]:
    """Variables with which the copy imports itself."""
    paths = [str(tree / name) for name in ("", "plugins", "include")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


class Pytest:
    """Runs tests of a copy of the tree, each time in a process of its own that is forked from a warm one."""

    def __init__(self, tree: Path) -> None:
        self._process = subprocess.Popen(
            [*python(tree), "tests.chaos.nursery"],
            cwd=tree,
            env=environment(tree),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, selection: str) -> tuple[str | None, str]:
        """The first test that failed, and what kept the tests from running."""
        options = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore", "--hypothesis-seed=0"]
        request = {"arguments": [*options, *shlex.split(selection)], "seconds": TEST_SECONDS}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if answer["status"] not in (0, TESTS_FAILED):
            return None, f"pytest could not run {selection}: {answer['output'][-600:]}"
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", answer["output"], re.MULTILINE)
        return (failed[1] if failed else selection) if answer["status"] else None, ""

    def end(self) -> None:
        """End the warm process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@contextmanager
def warm(tree: Path) -> Iterator[Pytest]:
    """Pytest for a copy of the tree."""
    runner = Pytest(tree)
    try:
        yield runner
    finally:
        runner.end()
