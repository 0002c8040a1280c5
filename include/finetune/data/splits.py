"""Which split of a data set plays which part in a run."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final

from include.finetune.errors import InputError

log = logging.getLogger(__name__)

TRAIN: Final = "train"
TEST: Final = "test"
ASK: Final = "test_gen"
# Parts whose conversations need an answer; the smoke test only asks.
LEARNED: Final = (TRAIN, TEST)

_HELD_OUT: Final = ("validation", "valid", "val", "dev", "eval")
# Names that a split of a part may have, the best first. No other split is read.
NAMES: Final = {
    TRAIN: ("train_sft", "train"),
    TEST: ("test_sft", *_HELD_OUT, "test"),
    ASK: ("test_gen", "test_sft", "test", *_HELD_OUT),
}


def choose(dataset: str, splits: Collection[str]) -> dict[str, str]:
    """The split of each part; raises InputError: if there is none for a part."""
    chosen = {
        part: found
        for part, names in NAMES.items()
        if (found := next((n for n in names if n in splits), None))
    }
    if missing := [part for part in NAMES if part not in chosen]:
        raise InputError(
            f"The data set {dataset!r} has the splits {', '.join(sorted(splits)) or '(none)'}, but none to "
            f"{'train on' if TRAIN in missing else 'test with'}: choose one with train_sft, test_sft and test_gen, "
            "or with train and test or validation."
        )
    log.info(
        "Trained on is %s, tested with %s, asked from %s%s.",
        chosen[TRAIN],
        chosen[TEST],
        chosen[ASK],
        f"; not read: {', '.join(rest)}" if (rest := sorted(set(splits) - set(chosen.values()))) else "",
    )
    return chosen
