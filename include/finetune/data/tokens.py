"""How long conversations are in tokens of the model, by its own tokenizer and chat template."""

from __future__ import annotations

import json
import logging
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from include.finetune.data.conversation import short
from include.finetune.errors import InputError

log = logging.getLogger(__name__)

FILES: Final = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "config.json")
BATCH: Final = 64


class NoTokenizerError(Exception):
    """The model's tokens cannot be counted here; the message says why."""


class _RefusedError(Exception):
    """The template itself has refused a conversation."""


class _Generation(Extension):
    """``{% generation %}``, by which a template marks what the assistant says; here it only stands for its text."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


@dataclass(frozen=True)
class Lengths:
    """Tokens of the conversations of a split: ``cut`` counts those above the limit, ``total`` sums all."""

    conversations: int
    p50: int
    p95: int
    longest: int
    cut: int
    total: int


class ChatTokenizer:
    """Counts the tokens of conversations.

    Args:
        files: content of the model's files, those of ``FILES`` that it has.
        max_seq_length: what the user allows at most; -1 for what the model can read.

    Raises:
        NoTokenizerError: if a file is missing or cannot be used.
    """

    def __init__(self, files: Mapping[str, bytes], max_seq_length: int = -1) -> None:
        try:
            import tokenizers

            settings = {
                name: json.loads(files.get(name, b"{}")) for name in FILES if name.endswith("config.json")
            }
            config = settings["tokenizer_config.json"]
            self._tokenizer = tokenizers.Tokenizer.from_str(files["tokenizer.json"].decode())
            self._template = _environment().from_string(_template(files, config))
        except KeyError as error:
            raise NoTokenizerError(f"the model has no file {error}") from error
        except Exception as error:
            raise NoTokenizerError(f"the model's tokenizer cannot be used: {short(str(error))}") from error
        self._special = {name: _text(config[name]) for name in config if name.endswith("_token")}
        known = (config.get("model_max_length"), settings["config.json"].get("max_position_embeddings"))
        limits = [int(one) for one in (*known, max_seq_length) if isinstance(one, (int, float)) and one > 0]
        self.limit = min(limits, default=0)

    def count(self, conversations: Sequence[Sequence[Mapping[str, Any]]]) -> list[int]:
        """Tokens of each conversation.

        Raises:
            InputError: if the model's template refuses one, as it would in the job.
        """
        texts = [self._render(messages) for messages in conversations]
        return [len(coded) for coded in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def _render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        try:
            return self._template.render(messages=messages, add_generation_prompt=False, **self._special)
        except _RefusedError as error:
            raise InputError(
                f"The model's chat template refuses the conversation {short(messages)}: {error}"
            ) from error
        except Exception as error:
            raise NoTokenizerError(f"the model's chat template cannot be applied here: {error}") from error

    def lengths(self, path: Path) -> Lengths:
        """Of all conversations of a file of JSON Lines."""
        counts = array("L")
        conversations = _conversations(path)
        while batch := list(islice(conversations, BATCH)):
            counts.extend(self.count(batch))
        ordered = sorted(counts)
        return Lengths(
            conversations=len(ordered),
            p50=_rank(ordered, 50),
            p95=_rank(ordered, 95),
            longest=ordered[-1],
            cut=sum(1 for one in ordered if self.limit and one > self.limit),
            total=sum(ordered),
        )


def _conversations(path: Path) -> Iterator[list[dict[str, Any]]]:
    with path.open("rb") as lines:
        yield from (json.loads(line)["messages"] for line in lines)


def _rank(ordered: Sequence[int], percent: int) -> int:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _template(files: Mapping[str, bytes], config: Mapping[str, Any]) -> str:
    if "chat_template.jinja" in files:
        return files["chat_template.jinja"].decode()
    template = config["chat_template"]
    if isinstance(template, list):  # several, by name
        template = {one["name"]: one["template"] for one in template}["default"]
    return str(template)


def _text(token: Any) -> str:
    return str(token.get("content", "") if isinstance(token, Mapping) else token or "")


def _environment() -> jinja2.Environment:
    """As transformers makes it for chat templates."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **kwargs: json.dumps(value, ensure_ascii=False, **kwargs)
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now(UTC).strftime(form)
    return environment


def _refuse(message: str) -> None:
    raise _RefusedError(message)
