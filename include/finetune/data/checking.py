"""Check every row that a run will use, before anything is paid for, and count its tokens."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure_ml.errors import NoRetry
from azure_ml.masking import masked
from include.finetune.data import hub, splits, tokens
from include.finetune.data.choice import Choice, choice_of
from include.finetune.data.kept import Files, KeptRows, Part
from include.finetune.data.tokens import ChatTokenizer, NoTokenizerError

if TYPE_CHECKING:
    from azure_ml.hook import AzureMLHook

log = logging.getLogger(__name__)


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
        reading = KeptRows(choice, repository, files, Path(folder))
        learned = {chosen[part] for part in splits.LEARNED}
        parts = {split: reading.part(split, split in learned) for split in dict.fromkeys(chosen.values())}
        for number, text in enumerate(parts[chosen[splits.TRAIN]].shown, 1):
            log.info("Row %d: %s", number, masked(text))
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
