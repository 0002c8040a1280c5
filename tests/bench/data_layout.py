"""A data set with the rows, files and sizes of HuggingFaceH4/ultrachat_200k, made up from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SEED: Final = 5
ROW_GROUP: Final = 1000
"""Rows of a row group, as ``datasets`` writes them."""
CORPUS_CHARACTERS: Final = 16 << 20
SAMPLE: Final = 3000
"""Rows that are written to learn how many bytes a character takes."""


@dataclass(frozen=True)
class Split:
    """A split: rows and bytes in all, spread over files."""

    name: str
    files: int
    rows: int
    size: int


FULL: Final = (
    Split("train_sft", 3, 207_865, 3 * 244_000_000),
    Split("test_sft", 1, 23_110, 81_000_000),
    Split("train_gen", 3, 256_032, 3 * 243_000_000),
    Split("test_gen", 1, 28_304, 80_000_000),
)


def scaled(factor: float) -> tuple[Split, ...]:
    """The same in small."""
    return tuple(
        Split(one.name, one.files, max(2000, int(one.rows * factor)), int(one.size * factor)) for one in FULL
    )


def write(folder: Path, splits: tuple[Split, ...]) -> None:
    """Write all files below ``data``; what is there already stays."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    corpus = _corpus()
    for split in splits:
        names = [
            folder / f"data/{split.name}-{number:05}-of-{split.files:05}.parquet"
            for number in range(split.files)
        ]
        if all(name.exists() for name in names):
            continue
        length = _characters(split, corpus, folder)
        for number, name in enumerate(names):
            rows = split.rows * (number + 1) // split.files - split.rows * number // split.files
            _write_file(name, _rows(random.Random(f"{SEED} {name.name}"), corpus, rows, length))


def _corpus() -> str:
    """Text of made-up words, some common and most rare, as prose has them."""
    drawing = random.Random(SEED)
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(drawing.choices(letters, k=drawing.randint(2, 11))) for _ in range(20_000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    return " ".join(drawing.choices(words, weights, k=CORPUS_CHARACTERS // 6))


def _characters(split: Split, corpus: str, folder: Path) -> int:
    """Characters of a message for which the files get their size."""
    guess, trial = 900, folder / "trial.parquet"
    _write_file(trial, _rows(random.Random(SEED), corpus, SAMPLE, guess))
    by_row = trial.stat().st_size / SAMPLE
    trial.unlink()
    return max(1, round(guess * split.size / split.rows / by_row))


def _rows(drawing: random.Random, corpus: str, count: int, length: int) -> Iterator[dict[str, Any]]:
    for _ in range(count):
        texts = []
        for _ in range(2 * drawing.choice((1, 2, 2, 3))):
            size = max(8, int(length * drawing.lognormvariate(0, 0.5)))
            start = drawing.randrange(len(corpus) - size)
            texts.append(corpus[start : start + size])
        yield {
            "prompt": texts[0],
            "prompt_id": drawing.randbytes(32).hex(),
            "messages": [
                {"content": text, "role": ("user", "assistant")[place % 2]}
                for place, text in enumerate(texts)
            ],
        }


def _write_file(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    message = pa.struct([("content", pa.string()), ("role", pa.string())])
    schema = pa.schema([("prompt", pa.string()), ("prompt_id", pa.string()), ("messages", pa.list_(message))])
    draft = path.with_suffix(".part")
    with pq.ParquetWriter(draft, schema) as writer:
        while group := [row for _, row in zip(range(ROW_GROUP), rows, strict=False)]:
            writer.write_table(pa.Table.from_pylist(group, schema), row_group_size=ROW_GROUP)
    draft.replace(path)
