"""Cuts the conversations into four disjoint splits and writes each as a parquet file named like the Hub's."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from azureml_local.sample.conversations import conversation

SIZES: Final = {"train_sft": 1400, "test_sft": 240, "train_gen": 200, "test_gen": 160}
"""Conversations a split: 5 % of each is still enough to train on and to test with."""

SCHEMA: Final = pa.schema(
    [
        ("prompt", pa.string()),
        ("prompt_id", pa.string()),
        ("messages", pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))),
    ]
)
"""Columns of ultrachat_200k."""

Row = dict[str, Any]


def rows(count: int, seed: int) -> list[Row]:
    """Conversations with distinct prompts.

    Args:
        count: how many; the small world holds some 3,000 before the draw gets slow.
        seed: the same seed gives the same rows.
    """
    rng = random.Random(seed)  # noqa: S311  # a seeded draw, no secret
    found: dict[str, Row] = {}
    while len(found) < count:
        messages = conversation(rng)
        prompt = messages[0]["content"]
        digest = hashlib.sha256(prompt.encode()).hexdigest()
        found.setdefault(prompt, {"prompt": prompt, "prompt_id": digest, "messages": messages})
    return list(found.values())


def splits(seed: int) -> dict[str, list[Row]]:
    """The four splits; those for generation end with the user's message, as ultrachat's do."""
    pool = rows(sum(SIZES.values()), seed)
    random.Random(seed + 1).shuffle(pool)  # noqa: S311  # a seeded draw, no secret
    cut: dict[str, list[Row]] = {}
    for name, size in SIZES.items():
        part, pool = pool[:size], pool[size:]
        if name.endswith("_gen"):
            part = [{**row, "messages": row["messages"][:-1]} for row in part]
        cut[name] = part
    return cut


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
