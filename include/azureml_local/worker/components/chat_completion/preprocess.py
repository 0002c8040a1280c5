"""Step 3: conversations to token ids, and the split of what is held out."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .model_import import METADATA
from .rows import Row, conversations
from .step import StepError, run, say, truth, write_json

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

# Of the held-out split; the component has no input for it.
SEED = 42


def parse() -> argparse.Namespace:
    """The component's inputs and its output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task_name", default="ChatCompletion")
    parser.add_argument("--batch_size", type=int, default=1000)
    parser.add_argument("--pad_to_max_length", type=truth, default=False)
    parser.add_argument("--max_seq_length", type=int, default=-1)
    for split in ("train", "validation", "test"):
        parser.add_argument(f"--{split}_file_path", type=Path)
        parser.add_argument(f"--{split}_mltable_path", type=Path)
    parser.add_argument("--trust_remote_code", type=truth, default=False)
    parser.add_argument("--model_selector_output", type=Path, required=True)
    parser.add_argument("--output_dir", type=Path, required=True)
    return parser.parse_args()


def given_splits(args: argparse.Namespace) -> dict[str, Dataset]:
    """The data files that were given; a table path wins over a file path.

    Raises:
        StepError: if there is no training data, or a row is malformed.
    """
    from datasets import Dataset

    found = {}
    for split in ("train", "validation", "test"):
        path: Path | None = getattr(args, f"{split}_mltable_path") or getattr(args, f"{split}_file_path")
        if path is not None:
            found[split] = Dataset.from_list([{"messages": _plain(row)} for row in conversations(path)])
    if "train" not in found:
        raise StepError("No training data: give train_file_path or train_mltable_path.")
    return found


def _plain(row: Row) -> list[dict[str, str]]:
    return [{"role": message["role"], "content": message["content"]} for message in row["messages"]]


def hold_out(splits: dict[str, Dataset]) -> dict[str, Dataset]:
    """Take missing splits out of the training rows: 10 % each if both are missing, 20 % if one is.

    Raises:
        StepError: if that would leave a split without a row.
    """
    missing = [name for name in ("validation", "test") if name not in splits]
    if not missing:
        return splits
    rows = splits["train"].shuffle(seed=SEED)
    share = max(1, round(len(rows) * (0.1 if len(missing) == 2 else 0.2)))
    if len(rows) <= share * len(missing):
        raise StepError(
            f"{len(rows)} training conversations are too few to hold out {' and '.join(missing)}: "
            "give more, or give those files."
        )
    result = dict(splits)
    for position, name in enumerate(missing):
        result[name] = rows.select(range(position * share, (position + 1) * share))
        say(f"{name} file not given: {share} of {len(rows)} training conversations held out for it")
    result["train"] = rows.select(range(share * len(missing), len(rows)))
    return result


class Encoder:
    """Applies the chat template and says which tokens are learned."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, limit: int, pad: bool) -> None:
        self.tokenizer, self.limit, self.pad = tokenizer, limit, pad
        self.masks = "{% generation" in tokenizer.get_chat_template().replace("{%-", "{%")
        self.cut = 0

    def __call__(self, batch: dict[str, list[Any]]) -> dict[str, list[list[int]]]:
        """Token ids, attention mask and labels of a batch of conversations (-100: not learned)."""
        columns: dict[str, list[list[int]]] = {"input_ids": [], "attention_mask": [], "labels": []}
        for messages in batch["messages"]:
            ids, learned = self._within_limit(messages)
            blank = self.limit - len(ids) if self.pad else 0
            columns["input_ids"].append(ids + [self.tokenizer.pad_token_id] * blank)
            columns["attention_mask"].append([1] * len(ids) + [0] * blank)
            labels = [one if keep else -100 for one, keep in zip(ids, learned, strict=True)]
            columns["labels"].append(labels + [-100] * blank)
        return columns

    def _within_limit(self, messages: list[Any]) -> tuple[list[int], list[int]]:
        """Token ids and which of them are learned, without the last turns of a conversation that is too long.

        Where even its first answer goes beyond the limit, nothing of it is learned.
        """
        ids, learned = self._encode(messages)
        self.cut += len(ids) > self.limit
        while len(ids) > self.limit:
            ends = [
                n for n, turn in enumerate(messages) if turn["role"] == "assistant" and n < len(messages) - 1
            ]
            if not ends:
                return ids[: self.limit], [0] * self.limit
            messages = messages[: ends[-1] + 1]
            ids, learned = self._encode(messages)
        return ids, learned

    def _encode(self, messages: list[Any]) -> tuple[list[int], list[int]]:
        coded = self.tokenizer.apply_chat_template(
            messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=self.masks
        )
        ids = list(coded["input_ids"])
        return ids, list(coded["assistant_masks"]) if self.masks else [1] * len(ids)


def load_tokenizer(model: Path, trust: bool) -> PreTrainedTokenizerBase:
    """The base model's tokenizer; raises StepError: if it has no chat template."""
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(model, trust_remote_code=trust)
    if not tokenizer.chat_template:
        raise StepError(
            "The model's tokenizer has no chat template: give one as chat_template in finetune_config_path."
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def length_limit(asked: int, tokenizer: PreTrainedTokenizerBase, model: Path) -> int:
    """Tokens kept of a conversation: what was asked, at most what the model can read."""
    from transformers import AutoConfig

    # Through the class of the configuration, which knows the name that its architecture gives it.
    known = getattr(AutoConfig.from_pretrained(model), "max_position_embeddings", None)
    context = int(known or tokenizer.model_max_length)
    most = min(context, int(tokenizer.model_max_length))
    if asked > most:
        say(f"max_seq_length {asked} is more than the model reads: {most} is used")
    return min(asked, most) if asked > 0 else most


def encode(splits: dict[str, Dataset], encoder: Encoder, args: argparse.Namespace) -> dict[str, int]:
    """Tokenise and save each split; returns the rows by split.

    Raises:
        StepError: if a split has no row with a token to learn.
    """
    counts = {}
    for name, rows in splits.items():
        encoder.cut = 0
        coded = rows.map(encoder, batched=True, batch_size=args.batch_size, remove_columns=rows.column_names)
        kept = coded.filter(lambda row: any(label != -100 for label in row["labels"][1:]))
        if not len(kept):
            raise StepError(
                f"No {name} conversation has an answer within {encoder.limit} tokens: raise max_seq_length."
            )
        kept.save_to_disk(str(args.output_dir / name))
        tokens = sum(sum(mask) for mask in kept["attention_mask"])
        say(
            f"{name}: {len(kept):,} conversations, {tokens:,} tokens, {encoder.cut} cut by whole turns to "
            f"{encoder.limit} tokens, {len(coded) - len(kept)} dropped without an answer within them"
        )
        counts[name] = len(kept)
    return counts


def main() -> None:
    """Read, hold out, tokenise, save; the tokenizer goes along."""
    args = parse()
    from datasets import disable_progress_bars

    disable_progress_bars()
    model = args.model_selector_output / "model"
    tokenizer = load_tokenizer(model, args.trust_remote_code)
    limit = length_limit(args.max_seq_length, tokenizer, model)
    encoder = Encoder(tokenizer, limit, args.pad_to_max_length)
    say(
        "The chat template marks the assistant's tokens: only these are learned"
        if encoder.masks
        else "The chat template does not mark the assistant's tokens: all tokens are learned"
    )
    counts = encode(hold_out(given_splits(args)), encoder, args)
    tokenizer.save_pretrained(args.output_dir / "tokenizer")
    shutil.copy(args.model_selector_output / METADATA, args.output_dir / METADATA)
    settings = {"max_length": limit, "assistant_only": encoder.masks, "rows": counts}
    write_json(args.output_dir / "preprocess_args.json", settings)


if __name__ == "__main__":
    run(main)
