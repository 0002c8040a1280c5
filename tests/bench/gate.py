"""``python -m tests.bench.gate``: how often the gate is wrong, in a world where the truth is known.

Runs on one core, with a fixed seed, and writes ``bench-gate.json``; ends with 1 if an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Small matrices gain nothing from threads, and the figures are for one core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from include.finetune.gate.rules import Rules
from include.finetune.gate.sample_size import detectable_effect
from include.launcher.paths import Paths
from tests.bench.gate_retrains import WEEKS, Year, promotions, true_spread, year

ROWS, RETRAINS, YEARS, SEED = 200, 1000, 100, 2026
ANY_GAIN = Rules(min_improvement=0.0)
"""The hardest rules to keep: nothing but the interval stands between equal quality and promotion."""


@dataclass(frozen=True)
class Figure:
    """A line of the table: a share of cases, and the aim that it has to keep; None for a share that only informs."""

    what: str
    count: int
    of: int
    most: float | None = None
    least: float | None = None

    @property
    def share(self) -> float:
        """Part of the cases, from 0 to 1."""
        return self.count / self.of

    @property
    def kept(self) -> bool:
        """Whether the aim is kept."""
        return (self.most is None or self.share <= self.most) and (
            self.least is None or self.share >= self.least
        )

    @property
    def aim(self) -> str:
        """The aim in words."""
        if self.most is not None:
            return f"at most {self.most:.0%}"
        return "" if self.least is None else f"at least {self.least:.0%}"


def measure(retrains: int, years: int) -> tuple[list[Figure], dict[str, Any]]:
    """Simulate everything; the table's lines, and what the file holds."""
    spread = true_spread(np.random.default_rng(SEED))
    effect, small = detectable_effect(ROWS, spread), detectable_effect(60, spread)
    rate, power, default = ANY_GAIN.rate, 0.8, Rules()

    def line(what: str, rows: int, rules: Rules, part: float = 1.0, **world: Any) -> Figure:
        limits = {name: world.pop(name) for name in ("most", "least") if name in world}
        count = max(1, round(part * retrains))
        # A stream of its own: a line does not change when another is added.
        rng = np.random.default_rng([SEED, *what.encode()])
        return Figure(
            f"{what}, {rows} rows",
            promotions(rng, _shown(count, what), rows, rules, **world),
            count,
            **limits,
        )

    null = line("equal quality", ROWS, ANY_GAIN, most=rate)
    better = line(f"better by {effect:.3f}", ROWS, ANY_GAIN, quality=effect, least=power)
    rng = np.random.default_rng([SEED, WEEKS])
    looks = [year(rng, ROWS, ANY_GAIN, effect) for _ in _shown(years, "52 weekly retrains")]
    figures = [
        null,
        line("equal quality", 60, ANY_GAIN, most=rate),
        line("equal quality", 30, ANY_GAIN, most=rate),
        line("equal quality, rare disasters", ROWS, ANY_GAIN, disasters=1.0, most=rate),
        line("better by just min_improvement", ROWS, default, quality=default.min_improvement, most=rate),
        line("equal quality, default rules", ROWS, default, most=rate),
        better,
        line(f"better by {small:.3f}", 60, ANY_GAIN, quality=small, least=power),
        *_of_years(looks, rate, effect),
        line("best of five of equal quality", ROWS, ANY_GAIN, 0.3, challengers=5),
    ]
    return figures, {
        "null_retrains": null.of,
        "null_promoted": null.count,
        "effect": round(effect, 4),
        "effect_retrains": better.of,
        "effect_promoted": better.count,
        "looks": {
            "years": years,
            "retrains": years * WEEKS,
            "promoted": sum(look.promoted for look in looks),
        },
    }


def _of_years(looks: list[Year], rate: float, effect: float) -> list[Figure]:
    years, promoted = len(looks), sum(look.promoted for look in looks)
    return [
        Figure(f"52 weekly retrains, same {ROWS} rows: all", promoted, years * WEEKS, most=rate),
        Figure("52 weekly retrains: years with any", sum(look.promoted > 0 for look in looks), years),
        Figure(
            f"better by {effect:.3f} after such a year", sum(look.effect_promoted for look in looks), years
        ),
    ]


def _shown(count: int, what: str) -> Iterable[int]:
    return track(range(count), description=f"{what:<34}", transient=True)


def show(figures: list[Figure]) -> None:
    """Print the table."""
    table = Table("retrains", "promoted", "share", "aim", "kept")
    for figure in figures:
        kept = ("yes" if figure.kept else "NO") if figure.aim else ""
        table.add_row(figure.what, f"{figure.count} of {figure.of}", f"{figure.share:.1%}", figure.aim, kept)
    Console(width=110).print(table)


def main() -> int:
    """Run the benchmark; returns 1 if an aim is missed, for the seed leaves nothing to the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retrains", type=int, default=RETRAINS, help="retrains of a line")
    parser.add_argument("--years", type=int, default=YEARS, help="years of 52 weekly retrains")
    parser.add_argument("--out", type=Path, default=None, help="file that is written; .local/bench-gate.json")
    given = parser.parse_args()
    start = time.perf_counter()
    figures, result = measure(given.retrains, given.years)
    show(figures)
    out = given.out or Paths.from_environment().state / "bench-gate.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{time.perf_counter() - start:.0f} s; written to {out}")
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
