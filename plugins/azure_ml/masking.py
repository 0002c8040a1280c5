"""The one place where secrets are taken out of a text, before it becomes a log line, an error, an XCom or a tag."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from azure_ml.bounds import ERROR

MASK: Final = "***"

# Names whose value is a secret in whatever notation: JSON, header, environment variable, connection string.
_NAMES: Final = (
    r"(?:access|refresh|id|sas|bearer|auth|security|session|identity|tracking|hub|hf|api)[_-]?token"
    r"|(?:api|apim-subscription|subscription|account|shared[_-]?access|access|primary|secondary|storage|private|"
    r"functions|fernet|endpoint|instrumentation|signing|encryption)[_-]?key(?:value)?"
    r"|shared[_-]?access[_-]?signature|connection[_-]?string|client[_-]?secret|secret[_-]?(?:key|value)"
    r"|client[_-]?assertion|identity[_-]?header|password|passwd|pwd|amz-signature|amz-security-token"
)
_ANY_NAME: Final = rf"(?:{_NAMES}|secret)"
_IN_QUERY: Final = r"(?:sig|signature|x-amz-signature|x-amz-security-token|x-amz-credential)"
_VALUE: Final = r"[^\s'\"&;,<>\\)\]}]"
_PLAIN: Final = r"(?!\*\*\*)"

_RULES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", rf"\1{MASK}"),
        # The whole of a signature in a connection string, which is a query of its own.
        (rf"(shared[_-]?access[_-]?signature\s*=\s*){_PLAIN}[^\s'\"<>;\\]+", rf"\1{MASK}"),
        # After "&", "&amp;", "\u0026" or "%26", or at the start; a number alone is a level of significance.
        (
            rf"((?:\\u0026|%26|(?<![\w-])){_IN_QUERY}(?:=|%3D))(?![\d.]+(?![\w%+/=-])){_PLAIN}{_VALUE}+",
            rf"\1{MASK}",
        ),
        # "name": "value", with any quotes, and also where the JSON stands in a string itself; cut off or whole.
        (rf"({_ANY_NAME}(?P<q>[\"'])\s*:\s*(?P<v>[\"']))(?:\\.|(?!(?P=v)).)*", rf"\1{MASK}"),
        (
            rf"({_ANY_NAME}(?P<q>\\+[\"'])\s*:\s*(?P<v>\\+[\"']))(?:(?!(?<!\\)(?P=v)).)*",
            rf"\1{MASK}",
        ),
        (r"(\btoken(?P<q>\\*[\"'])\s*:\s*(?P=q))[\w.~+/=-]{16,}", rf"\1{MASK}"),
        # Cookies and logins of HTTP, as a header, a pair of Python, or JSON.
        (
            r"((?:proxy-)?authorization\\*[\"']?\s*[:=,]\s*+(?:b(?=[\"']))?+\\*+[\"']?+\s*+(?:(?:bearer|basic|digest|sharedkey\w*|aws4-[\w-]+)"
            rf"\s+)?+){_PLAIN}[^\s'\"<>\\]+",
            rf"\1{MASK}",
        ),
        (r"((?:set-)?cookie\\*[\"']?\s*[:=]\s*\\*[\"']?\s*)[^\s'\"<>\\]+=[^'\"<>\\\r\n]+", rf"\1{MASK}"),
        (rf"({_NAMES})(\s*=\s*|:\s+|:(?!\s|//))([\"']?){_PLAIN}{_VALUE}+", rf"\1\2\3{MASK}"),
        (rf"(secret\s*=\s*[\"']?){_PLAIN}{_VALUE}+", rf"\1{MASK}"),
        (r"(\bbearer\s+)(?=\S*\d|\S{20})[\w.~+/=-]{8,}", rf"\1{MASK}"),
        # What is a secret by its own shape: a JSON Web Token, a token of the Hub, a login in a URL.
        (r"\beyJ[\w-]{10,}(?:\.[\w-]*){0,4}", MASK),
        (r"\bhf_[A-Za-z0-9]{16,}", MASK),
        (r"(\b[a-z][a-z0-9+.-]*://[^\s/:@'\"<>]*:)[^\s/@'\"<>]+(?=@)", rf"\1{MASK}"),
    )
)
_HINT: Final = re.compile(
    r"sig|key|token|secret|pass|pwd|connection|assertion|header|bearer|authorization|cookie|credential|eyJ|hf_|@",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """A text without secrets, otherwise unchanged; JSON stays JSON."""
    if _HINT.search(text) is None:
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def error_text(text: object) -> str:
    """The text of an error, without secrets and of a bounded length."""
    words = str(text)
    # A secret that the cut divides is seen whole: more is looked at than is kept.
    head, left = masked(words[: 2 * ERROR]), max(0, len(words) - 2 * ERROR)
    return (
        head
        if len(head) <= ERROR and not left
        else f"{head[:ERROR]}… ({len(head) - ERROR + left} more characters)"
    )


def masked_values(value: Any) -> Any:
    """The same for every text in a value of JSON, those below a secret's name among them."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {key: _below(str(key), inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [masked_values(inner) for inner in value]
    return value


def without_secrets(error: BaseException) -> BaseException:
    """An exception to chain: itself, or, where its text or its own cause's has a secret, a copy that has none."""
    chain = [error]
    while (cause := _cause(chain[-1])) is not None and cause not in chain:
        chain.append(cause)
    if all(masked(str(link)) == str(link) for link in chain):
        return error
    copy = _masked_link(chain[-1])
    for link in reversed(chain[:-1]):
        masked_link = _masked_link(link)
        masked_link.__cause__ = copy
        copy = masked_link
    return copy


def _masked_link(link: BaseException) -> BaseException:
    return RuntimeError(f"{type(link).__name__}: {masked(str(link))}").with_traceback(link.__traceback__)


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _below(name: str, value: Any) -> Any:
    if isinstance(value, str) and re.search(rf"{_NAMES}$", name, re.IGNORECASE):
        return MASK
    return masked_values(value)
