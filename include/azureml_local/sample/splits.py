"""Writes four splits of conversations, each as a parquet file named like the Hub's."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from azureml_local.sample.conversations import Message, rounds

# Conversations a split: 5 % of train_sft is several rounds of all subjects, 5 % of test_sft is one.
SIZES: Final = {"train_sft": 1280, "test_sft": 280, "train_gen": 200, "test_gen": 160}

# Columns of ultrachat_200k.
SCHEMA: Final = pa.schema(
    [
        ("prompt", pa.string()),
        ("prompt_id", pa.string()),
        ("messages", pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))),
    ]
)

Row = dict[str, Any]


def splits(seed: int) -> dict[str, list[Row]]:
    """The four splits; the held-out ones ask in phrasings that the training never has.

    Those for generation end with the user's message, as ultrachat's do.
    """
    drawn: dict[str, list[Row]] = {}
    for name, size in SIZES.items():
        rng = random.Random(f"{seed} {name}")  # noqa: S311  # a seeded draw, no secret
        conversations = rounds(rng, held_out=name.startswith("test"))
        drawn[name] = [_row(name, line, next(conversations)) for line in range(size)]
    return drawn


def _row(split: str, line: int, messages: list[Message]) -> Row:
    digest = hashlib.sha256(f"{split} {line}".encode()).hexdigest()
    kept = messages[:-1] if split.endswith("_gen") else messages
    return {"prompt": messages[0]["content"], "prompt_id": digest, "messages": kept}


def write(out: Path, seed: int) -> dict[str, Path]:
    """Write ``data/<split>-00000-of-00001-<hash>.parquet`` below ``out``, instead of earlier files.

    Args:
        out: folder of the data set; made if missing.
        seed: see :func:`rows`.

    Returns:
        The file of each split.
    """
    folder = out / "data"
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    for name, part in splits(seed).items():
        digest = hashlib.sha256(repr(part).encode()).hexdigest()[:16]
        for old in folder.glob(f"{name}-*.parquet"):
            old.unlink()
        written[name] = folder / f"{name}-00000-of-00001-{digest}.parquet"
        pq.write_table(pa.Table.from_pylist(part, schema=SCHEMA), written[name])
    return written
