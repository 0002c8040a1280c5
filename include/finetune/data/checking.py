"""Read a run's rows once: check each, and keep what was read in the workspace, where a later task registers it."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from azure_ml.errors import NoRetry
from include.finetune.data import hub, mapping, source, splits, tokens
from include.finetune.data.choice import ROWS, Choice, choice_of
from include.finetune.data.conversation import short
from include.finetune.data.progress import MB, Progress
from include.finetune.data.tokens import ChatTokenizer, NoTokenizerError
from include.finetune.data.writing import write_rows
from include.finetune.errors import InputError

if TYPE_CHECKING:
    from azure_ml.hook import AzureMLHook

log = logging.getLogger(__name__)

FOLDER: Final = "finetune-data"
"""In the workspace's default datastore; below it a folder for each choice of rows of a revision."""
ABOUT: Final = "about.json"
"""What is known of the rows beside it."""
SHOWN_ROWS: Final = 2
SHOWN_CHARACTERS: Final = 300


class Files(Protocol):
    """Files of the workspace's default datastore, by path; a file is there whole or not at all."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of each file below a folder."""

    def read(self, path: str) -> bytes:
        """A file's content."""

    def fetch(self, path: str, target: Path) -> None:
        """Download a file."""

    def write(self, path: str, content: bytes | Path) -> None:
        """Write a file from bytes or from a file."""

    def uri(self, path: str) -> str:
        """Its ``azureml://`` address."""


@dataclass(frozen=True)
class Part:
    """The rows of one split, kept in the workspace.

    Attributes:
        path: of the JSON Lines file in the datastore.
        version: of the content: first 16 hex digits of its SHA-256.
        size: bytes of the file.
        rows: rows in it.
        dropped: rows left out, by reason.
        bytes_read: bytes that came from the Hub for it.
        shown: its first rows, cut short.
    """

    path: str
    version: str
    size: int
    rows: int
    dropped: dict[str, int]
    bytes_read: int
    shown: list[str]


def check(
    choice: Choice, files: Files, tokenizer: Callable[[], ChatTokenizer] | None = None
) -> dict[str, Any]:
    """Check every row that a run will use, and keep them in the workspace; nothing is registered or paid for.

    What an earlier run has kept of the same choice and revision is neither read nor uploaded again.

    Args:
        choice: which rows.
        files: where they are kept.
        tokenizer: makes what counts tokens; ``None`` to count none.

    Returns:
        ``{"dataset", "config", "revision", "split_pc", "rows": {split: int}, "dropped": {split: {reason: int}},
        "files": {"train" | "test" | "test_gen": {"uri", "version"}}, "bytes_read": int, "tokens": {...}}``

    Raises:
        InputError: if data set, choice or a row is wrong.
        HubUnreachableError: if the Hub does not answer.
    """
    repository = hub.open_repository(choice.dataset, choice.config)
    chosen = splits.choose(choice.dataset, repository.splits)
    with tempfile.TemporaryDirectory(prefix="finetune-data-") as folder:
        reading = _Reading(choice, repository, files, Path(folder))
        learned = {chosen[part] for part in splits.LEARNED}
        parts = {split: reading.part(split, split in learned) for split in dict.fromkeys(chosen.values())}
        for number, text in enumerate(parts[chosen[splits.TRAIN]].shown, 1):
            log.info("Row %d: %s", number, text)
        lengths = _tokens(tokenizer, {split: parts[split] for split in sorted(learned)}, reading.local)
    return {
        "dataset": choice.dataset,
        "config": repository.config,
        "revision": repository.revision,
        "split_pc": choice.split_pc,
        "rows": {split: part.rows for split, part in parts.items()},
        "dropped": {split: part.dropped for split, part in parts.items() if part.dropped},
        "files": {
            part: {"uri": files.uri(parts[split].path), "version": parts[split].version}
            for part, split in chosen.items()
        },
        "bytes_read": reading.bytes_read,
        "tokens": lengths,
    }


def check_params(
    params: Mapping[str, Any], hook: AzureMLHook, base_model: str, version: str
) -> dict[str, Any]:
    """As :func:`check`, for a run's parameters and the base model of the registry."""
    given = params.get("finetune_parameters") or {}

    def tokenizer() -> ChatTokenizer:
        try:
            files = hook.registry.small_files(base_model, version, tokens.FILES)
        except NoRetry as error:
            raise NoTokenizerError(f"the model's files cannot be read: {error}") from error
        return ChatTokenizer(files, _length(given.get("max_seq_length")))

    return check(choice_of(params), hook.files, tokenizer)


def _length(given: Any) -> int:
    """Tokens that ``max_seq_length`` allows, -1 if it says nothing; a wrong one has its error elsewhere."""
    return int(given) if str(given).isdecimal() else -1


class _Reading:
    """The parts of one run, each from the workspace or, once, from the Hub."""

    def __init__(self, choice: Choice, repository: hub.Repository, files: Files, folder: Path) -> None:
        self.choice, self.repository, self.files, self.folder = choice, repository, files, folder
        self.bytes_read = 0

    def part(self, split: str, learn: bool) -> Part:
        """The rows of a split; ``learn`` if they are trained on or tested with."""
        key = f"{self.choice.fingerprint(self.repository.revision, split)}{'' if learn else '-asked'}"
        folder = f"{FOLDER}/{self.choice.dataset}/{key}"
        if kept := self._kept(folder):
            log.info(
                "%s: %s rows are in the workspace already, as version %s: nothing is read, nothing uploaded.",
                split,
                f"{kept.rows:,}",
                kept.version,
            )
            return kept
        part = self._read(split, f"{folder}/{split}.jsonl", learn)
        self.files.write(part.path, self.folder / f"{split}.jsonl")
        # Last: whoever finds it finds the rows as well, and a try that was cut off goes on with the next split.
        self.files.write(f"{folder}/{ABOUT}", json.dumps(asdict(part)).encode())
        self.bytes_read += part.bytes_read
        return part

    def local(self, part: Part) -> Path:
        """A part's file on this machine."""
        file = self.folder / Path(part.path).name
        if not file.exists():
            self.files.fetch(part.path, file)
        return file

    def _kept(self, folder: str) -> Part | None:
        sizes = self.files.sizes(f"{folder}/")
        if f"{folder}/{ABOUT}" not in sizes:
            return None
        kept = Part(**json.loads(self.files.read(f"{folder}/{ABOUT}")))
        return kept if sizes.get(kept.path) == kept.size else None

    def _read(self, split: str, path: str, learn: bool) -> Part:
        file = self.folder / f"{split}.jsonl"
        progress = Progress(split)
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            counts = write_split(
                self.repository, split, self.choice, file, progress, Path(scratch), learn=learn
            )
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return Part(
            path=path,
            version=digest[:16],
            size=file.stat().st_size,
            rows=counts.kept,
            dropped=dict(counts.dropped),
            bytes_read=progress.bytes,
            shown=list(_first_rows(file)),
        )


def write_split(
    repository: hub.Repository,
    split: str,
    choice: Choice,
    file: Path,
    progress: Progress,
    scratch: Path,
    *,
    learn: bool,
) -> Any:
    """Read the chosen rows of a split and write them as JSON Lines; returns their counts."""
    where = f"The split {split!r} of the data set {repository.id!r}"
    opened = source.open_source(repository.splits[split], scratch, progress, where)
    if not sum(opened.groups):
        raise InputError(f"{where} has no row: choose a data set that has some.")
    mapped = choice.mapping or mapping.detect(opened.shape, where)
    mapping.require_columns(mapped, opened.shape, where)
    if not mapped.plain:
        log.info("%s: rows are mapped by %s%s.", split, mapped, "" if choice.mapping else " (detected)")
    takes = source.chosen(opened, choice)
    rows, more = sum(len(take.rows) for take in takes), opened.bytes_of(takes, mapped.columns)
    progress.expect(rows, more)
    log.info(
        "%s: %s of %s rows (%s) in %d of %d row groups, %.1f MB to read%s.",
        split, f"{rows:,}", f"{sum(opened.groups):,}", choice.sample, len(takes), len(opened.groups), more / MB,
        "; drawing single rows costs nearly the whole split" if choice.sample == ROWS else "",
    )  # fmt: skip
    with closing(_generator(opened.rows(takes, mapped.columns))) as placed:
        counts = write_rows(placed, file, mapped, choice, progress, learn=learn)
    log.info("%s", progress.line())
    return counts


def _generator(rows: Iterator[Any]) -> Any:
    yield from rows


def _first_rows(file: Path) -> Iterator[str]:
    with file.open("rb") as lines:
        for _, line in zip(range(SHOWN_ROWS), lines, strict=False):
            yield short(json.loads(line)["messages"], SHOWN_CHARACTERS)


def _tokens(
    tokenizer: Callable[[], ChatTokenizer] | None,
    parts: Mapping[str, Part],
    local: Callable[[Part], Path],
) -> dict[str, Any]:
    """The lengths of each split in tokens, or why they are not known."""
    if tokenizer is None:
        return {}
    try:
        counting = tokenizer()
        lengths = {split: asdict(counting.lengths(local(part))) for split, part in parts.items()}
    except NoTokenizerError as error:
        log.warning("Tokens are not counted: %s.", error)
        return {"unknown": str(error)}
    for split, found in lengths.items():
        log.info(
            "%s: %s tokens in all; half of the conversations have at most %s, 95 %% at most %s, the longest %s; "
            "%s are longer than %s and will be cut.",
            split, *(f"{found[name]:,}" for name in ("total", "p50", "p95", "longest", "cut")), f"{counting.limit:,}",
        )  # fmt: skip
    return {"limit": counting.limit, **lengths}
