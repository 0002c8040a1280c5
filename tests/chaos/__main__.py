"""``python -m tests.chaos``: run cases, show them while they run, write ``.local/chaos.json``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from rich.console import Console

from include.launcher.paths import ROOT
from tests.chaos import cases as table
from tests.chaos import report, stacks


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 if every case is ok."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--cases", default="*", help="shell patterns on <task>.<fault>.<mode>, commas between"
    )
    parser.add_argument("--list", action="store_true", help="name the cases and count them, run none")
    parser.add_argument("--fast", action="store_true", help="each fault once")
    parser.add_argument("--stacks", type=int, default=1, help="how many stacks side by side")
    parser.add_argument("--out", type=Path, default=ROOT / ".local" / "chaos.json")
    parser.add_argument("--keep", action="store_true", help="keep the stacks' folders")
    options = parser.parse_args(arguments)
    chosen = [case for case in table.matching(table.load(), options.cases) if case.fast or not options.fast]
    if not chosen:
        print(f"No case matches {options.cases!r}: names are <task>.<fault>.<mode>.", file=sys.stderr)
        return 2
    if options.list:
        print(*(case.name for case in chosen), f"{len(chosen)} cases", sep="\n")
        return 0
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    rows, wrong = stacks.run(chosen, options.stacks, options.keep, Console())
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(rows, indent=1) + "\n")
    report.show(rows, wrong, Console(width=report.WIDTH))
    return 1 if wrong or not all(row["ok"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
