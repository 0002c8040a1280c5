"""Cheap truths about a generated answer: five signs of a broken model that need no second model to see."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from operator import eq
from typing import Final

# Times that a passage must stand there, one after the other, to be endless.
REPEATED: Final = 4
# Characters that all its repetitions must have together: "No, no, no, no!" is an answer.
SHORTEST: Final = 40
# Characters of the longest passage that is looked for letter by letter.
LONGEST: Final = 80
# Part of the answer that a repetition must fill, and part of the prompt that an echo must.
COVERED: Final = 0.5
# Characters from which on a prompt at the head of an answer is no coincidence.
PASSAGE: Final = 24
# Part of the answer's letters in scripts that the prompt does not have.
FOREIGN: Final = 0.5
# Scripts that one text uses side by side; Han is called CJK in Unicode's names.
TOGETHER: Final = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "KATAKANA-HIRAGANA": "CJK", "BOPOMOFO": "CJK"}

# First words of names that belong to no script.
MARKS: Final = {"MODIFIER", "IDEOGRAPHIC", "VERTICAL", ""}


def cheap_truths(prompt: str, answer: str, tokens: int, limit: int) -> dict[str, bool]:
    """All five of one answer.

    Args:
        prompt: what the user said last.
        answer: what the model generated, without special tokens.
        tokens: number of tokens generated, the end-of-turn token included.
        limit: ``max_new_tokens``.
    """
    return {
        "empty": empty(answer),
        "repeats_prompt": repeats_prompt(prompt, answer),
        "endless_repetition": endless_repetition(answer),
        "cut_by_limit": cut_by_limit(tokens, limit),
        "other_script": other_script(prompt, answer),
    }


def empty(answer: str) -> bool:
    """Whether nothing can be read: only blanks, control and format characters."""
    return all(unicodedata.category(character)[0] in "ZC" for character in answer)


def repeats_prompt(prompt: str, answer: str) -> bool:
    """Whether the answer is the prompt again: begins with all of it, or is a large piece of it and nothing else."""
    asked, said = _plain(prompt), _plain(answer)
    if len(asked) < PASSAGE:
        return bool(asked) and asked == said
    return said.startswith(asked) or (said in asked and len(said) >= COVERED * len(asked))


def endless_repetition(answer: str) -> bool:
    """Whether a passage follows itself, letter by letter, four times or more and through half of the answer."""
    said = _plain(answer)
    # Characters see loops where no blanks are, as in Chinese; words see passages too long for characters.
    return _loops(said, LONGEST) or _loops(said.split(), len(said))


def cut_by_limit(tokens: int, limit: int) -> bool:
    """Whether generation ended only because ``limit`` tokens were there.

    Raises:
        ValueError: if the limit is not above 0, or more tokens came than it allows.
    """
    if limit < 1 or not 0 <= tokens <= limit:
        raise ValueError(f"{tokens} tokens under a limit of {limit}: count the tokens that were generated.")
    return tokens == limit


def other_script(prompt: str, answer: str) -> bool:
    """Whether most letters of the answer are of scripts that the prompt does not have.

    A prompt without letters says nothing. An answer in Latin letters to a prompt in another script counts, too: a
    question that asks for a translation is rare, and the gate compares two models on the same prompts.
    """
    expected, letters = _scripts(prompt), _scripts(answer)
    foreign = sum(count for script, count in letters.items() if script not in expected)
    return bool(expected) and foreign > FOREIGN * letters.total()


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()


def _loops(units: Sequence[str], longest: int) -> bool:
    """Whether some run of ``units`` has a period of at most ``longest`` and is as long as an endless repetition."""
    for period in range(1, min(longest, len(units) // REPEATED) + 1):
        same = bytes(map(eq, units[period:], units))
        run = max(map(len, same.split(b"\0"))) + period
        if run >= REPEATED * period and run >= COVERED * len(units) and _length(units, run) >= SHORTEST:
            return True
    return False


def _length(units: Sequence[str], run: int) -> float:
    """Characters in ``run`` units of average length."""
    return run if isinstance(units, str) else run * (sum(map(len, units)) / len(units) + 1)


def _scripts(text: str) -> Counter[str]:
    """Script -> number of letters, by the first word of each letter's Unicode name."""
    letters = (character for character in unicodedata.normalize("NFKC", text) if character.isalpha())
    named = (unicodedata.name(letter, "").partition(" ")[0] for letter in letters)
    return Counter(TOGETHER.get(script, script) for script in named if script not in MARKS)
