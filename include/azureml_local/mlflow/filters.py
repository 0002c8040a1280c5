"""The filters and orders of MLflow's searches, such as ``tags.a = 'b and c' AND metrics.loss < 1``.

Source: MLflow's documentation of ``search_runs`` and ``search_experiments``; the text is cut by the same lexer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from azureml_local.arm.grammar import ArmError

Token = tuple[Any, str]
Item = TypeVar("Item")
# The value of a group and key of an item, None if it has none.
ValueOf = Callable[[Item, str, str], Any]
_GROUPS: Final = {
    name: group
    for group, names in {
        "attributes": "attribute attributes attr run",
        "tags": "tag tags",
        "params": "parameter parameters param params",
        "metrics": "metric metrics",
        "datasets": "dataset datasets",
    }.items()
    for name in names.split()
}
_ALIASES: Final = {"created": "start_time", "Created": "start_time"} | dict.fromkeys(
    ("run name", "Run name", "Run Name"), "run_name"
)
_WORDS: Final = frozenset(("IS", "IN", "NOT", "NULL", "NOT NULL", "NOT IN"))
_NUMERIC: Final = frozenset(("=", "!=", "<", "<=", ">", ">="))
_TEXT: Final = frozenset(("=", "!=", "LIKE", "ILIKE"))
_LISTS: Final = frozenset(("IN", "NOT IN"))
_NULLS: Final = frozenset(("IS NULL", "IS NOT NULL"))


class Clause(NamedTuple):
    """One comparison; ``operand`` is a text, a number, a list of texts, or None."""

    group: str
    key: str
    operator: str
    operand: Any


def matcher(text: str, value_of: ValueOf[Item], attributes: dict[str, bool]) -> Callable[[Item], bool]:
    """A test of items for a filter.

    Args:
        text: comparisons with AND between; empty fits all.
        value_of: reads an item.
        attributes: the names that may stand without a group; True where the value is a number.

    Raises:
        ArmError: 400 if the filter cannot be read.
    """
    clauses = [_clause(tokens, attributes) for tokens in _split(text)]
    return lambda item: all(_holds(clause, value_of(item, clause.group, clause.key)) for clause in clauses)


def ordered(items: Iterable[Item], order_by: Sequence[str], value_of: ValueOf[Item]) -> list[Item]:
    """Sort by terms such as ``metrics.loss DESC``; what has no value comes last.

    Raises:
        ArmError: 400 for a term that cannot be read.
    """
    chosen = list(items)
    for term in reversed(order_by):
        tokens = _tokens(term)
        falling = bool(tokens) and tokens[-1][1].upper() == "DESC"
        if tokens and tokens[-1][1].upper() in ("ASC", "DESC"):
            tokens = tokens[:-1]
        group, key = _identifier(tokens, term)
        have = [item for item in chosen if value_of(item, group, key) is not None]
        lack = [item for item in chosen if value_of(item, group, key) is None]
        have.sort(key=lambda item: value_of(item, group, key), reverse=falling)
        chosen = have + lack
    return chosen


def _tokens(text: str) -> list[Token]:
    from sqlparse import lexer

    cut: Iterable[Token] = lexer.tokenize(text)  # type: ignore[no-untyped-call]
    return [(kind, word) for kind, word in cut if word.strip()]


def _split(text: str) -> list[list[Token]]:
    """The tokens of each comparison."""
    clauses: list[list[Token]] = [[]]
    for kind, word in _tokens(text):
        if word.upper() == "AND":
            clauses.append([])
        else:
            clauses[-1].append((kind, word))
    if len(clauses) > 1 and not all(clauses):
        raise _unreadable(text)
    return [clause for clause in clauses if clause]


def _clause(tokens: list[Token], attributes: dict[str, bool]) -> Clause:
    text = " ".join(word for _, word in tokens)
    start = next((place for place, token in enumerate(tokens) if _is_operator(token)), len(tokens))
    end = start
    while end < len(tokens) and _is_operator(tokens[end]):
        end += 1
    group, key = _identifier(tokens[:start], text)
    operator = " ".join(word.upper() for _, word in tokens[start:end])
    if group == "attributes" and key not in attributes:
        raise _unreadable(text, f"{key!r} is no attribute; they are {', '.join(sorted(attributes))}")
    numeric = group == "metrics" or (group == "attributes" and attributes[key])
    allowed = _NUMERIC if numeric else _TEXT | (_LISTS if group in ("attributes", "datasets") else _NULLS)
    if operator not in allowed:
        raise _unreadable(text, f"{key!r} is compared by one of {', '.join(sorted(allowed))}")
    return Clause(group, key, operator, _operand(tokens[end:], operator, text, numeric=numeric))


def _is_operator(token: Token) -> bool:
    from sqlparse.tokens import Comparison

    return token[0] in Comparison or token[1].upper() in _WORDS


def _identifier(tokens: list[Token], text: str) -> tuple[str, str]:
    """Group and key; the quotes around a key are taken off."""
    name = "".join(word for _, word in tokens)
    group, dot, key = name.partition(".")
    if not dot or name[:1] in "`\"'":
        group, key = "attributes", name
    if group not in _GROUPS or not key:
        raise _unreadable(text, f"{name!r} begins with none of {', '.join(sorted(_GROUPS))}")
    key = _unquoted(key)
    return _GROUPS[group], _ALIASES.get(key, key)


def _operand(tokens: list[Token], operator: str, text: str, *, numeric: bool) -> Any:
    words = [word for _, word in tokens]
    if operator in _NULLS and not words:
        return None
    if operator in _LISTS and words[:1] == ["("] and words[-1:] == [")"]:
        listed = words[1:-1:2]
        if listed and all(map(_is_quoted, listed)) and set(words[2:-1:2]) <= {","}:
            return [_unquoted(word) for word in listed]
    if operator not in _LISTS | _NULLS and len(words) == 1:
        if not numeric and _is_quoted(words[0]):
            return _unquoted(words[0])
        if numeric and re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", words[0], re.I):
            return float(words[0])
    wanted = "a number" if numeric else "a text in quotes"
    raise _unreadable(text, f"{operator} is followed by {wanted}, IN by a list of texts, IS NULL by nothing")


def _is_quoted(word: str) -> bool:
    return len(word) > 1 and word[0] == word[-1] and word[0] in "'\""


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "`'\"" else word


def _unreadable(text: str, why: str = "AND stands between two comparisons") -> ArmError:
    return ArmError(400, "INVALID_PARAMETER_VALUE", f"The filter {text!r} cannot be read: {why}.")


def _holds(clause: Clause, value: Any) -> bool:
    operator, operand = clause.operator, clause.operand
    if operator in _NULLS:
        return (value is None) == (operator == "IS NULL")
    if value is None:
        return False
    if operator in _LISTS:
        return (value in operand) == (operator == "IN")
    if operator in ("LIKE", "ILIKE"):
        pattern = re.escape(operand).replace("%", ".*").replace("_", ".")
        flags = re.S | (re.I if operator == "ILIKE" else 0)
        return re.fullmatch(pattern, str(value), flags) is not None
    return _compare(float(value) if isinstance(operand, float) else str(value), operator, operand)


def _compare(value: Any, operator: str, operand: Any) -> bool:
    match operator:
        case "=":
            return bool(value == operand)
        case "!=":
            return bool(value != operand)
        case "<":
            return bool(value < operand)
        case "<=":
            return bool(value <= operand)
        case ">":
            return bool(value > operand)
        case _:
            return bool(value >= operand)
