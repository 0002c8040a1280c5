"""The result of the training: its metrics as a table, and the losses that matter."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from typing import Any, Final

log = logging.getLogger(__name__)

Runs = Mapping[str, Mapping[str, float]]

# A loss, and the names under which a run may have logged it, the best first.
LOSSES: Final = {
    "train_loss": ("tuned_train_loss", "train_loss", "loss"),
    "base_train_loss": ("base_train_loss",),
    "eval_loss": ("eval_loss", "validation_loss"),
    "base_eval_loss": ("base_eval_loss",),
}


def review(runs: Runs) -> dict[str, Any]:
    """The losses, from whichever run logged them, with all metrics; the log shows a table of all.

    Args:
        runs: ``{run name: {metric: last value}}``

    Returns:
        ``{"train_loss", "base_train_loss", "eval_loss", "base_eval_loss": float | None, "runs": runs}``
    """
    # "base" is the model before training; not every version of the component measures it.
    losses = {name: _first(runs, keys) for name, keys in LOSSES.items()}
    log.info("Metrics of the job and its steps:\n%s", table(runs))
    if losses["eval_loss"] is not None and losses["base_eval_loss"]:
        gain = 100 * (1 - losses["eval_loss"] / losses["base_eval_loss"])
        log.info(
            "Loss on held-out conversations: %.4f before, %.4f after: %.1f %% lower.",
            losses["base_eval_loss"],
            losses["eval_loss"],
            gain,
        )
    return {**losses, "runs": {run: dict(metrics) for run, metrics in runs.items()}}


def table(runs: Runs) -> str:
    """All metrics as a table of text."""
    from rich.console import Console
    from rich.table import Table

    grid = Table("run", "metric", "value")
    for run, metrics in sorted(runs.items()):
        for metric, value in sorted(metrics.items()):
            grid.add_row(run, metric, f"{value:.6g}")
    out = io.StringIO()
    Console(file=out, width=100, no_color=True).print(grid)
    return out.getvalue()


def _first(runs: Runs, keys: tuple[str, ...]) -> float | None:
    for key in keys:
        for metrics in runs.values():
            if key in metrics:
                return float(metrics[key])
    return None
