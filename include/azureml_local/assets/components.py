"""Components of the workspace.

The service fills in what a definition leaves open; what only describes it may change later.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets.noun import Noun, base
from azureml_local.engine.store import Document
from azureml_local.settings import REGISTRY
from azureml_local.storage.uris import Uris

# The types that jobs run here; the others are kept and answered.
RUN: Final = ("command", "pipeline")
TYPES: Final = (*RUN, "automl", "data_transfer", "parallel", "spark", "sweep")
_LABELS: Final = frozenset(
    {"$schema", "_source", "creation_context", "description", "display_name", "id", "name", "tags", "version"}
)
# Curated environments have this prefix, and lie in the public registry.
_CURATED: Final = re.compile(r"azureml:(AzureML-[^:/@]+):([^:/]+)")
_IN_REGISTRY: Final = rf"azureml://registries/{REGISTRY}/environments/\1/versions/\2"
_PARENT_INPUT: Final = re.compile(r"\$\{\{\s*parent\.inputs\.([\w.-]+)\s*\}\}")


def kind_of(spec: Json) -> str:
    """The type of a component."""
    return str(spec.get("type", "command")).removesuffix("_component")


def complete(_: Uris, name: str, version: str, given: Json) -> Json:
    """The stored properties of a component version.

    Raises:
        ArmError: 400 without a definition; 501 for a type that is not kept here.
    """
    spec = given.get("componentSpec")
    if not spec:
        raise ArmError(
            400, "UserError", f"Component {name}:{version} has no componentSpec.", target="componentSpec"
        )
    kind = kind_of(spec)
    if kind not in TYPES:
        raise ArmError(
            501,
            "NotImplemented",
            f"Components of type {kind!r} are not kept here: use one of {', '.join(TYPES)}.",
        )
    # An anonymous component lies under its hash, and keeps the name and version that its author gave.
    own_version = (spec.get("version") if given.get("isAnonymous") else None) or version
    named = {**spec, "name": spec.get("name") or name, "version": own_version}
    return {**base(given), "componentSpec": _defaults(kind, named)}


def _defaults(kind: str, spec: Json) -> Json:
    """A definition with what the service fills in, in the service's types."""
    filled = dict(spec)
    if isinstance(inputs := spec.get("inputs"), dict):
        filled["inputs"] = {key: _input(declared) for key, declared in inputs.items()}
    if kind == "command":
        filled.setdefault("resources", {"instance_count": 1})
    if isinstance(environment := spec.get("environment"), str):
        filled["environment"] = _CURATED.sub(
            rf"azureml://registries/{REGISTRY}/environments/\1/versions/\2", environment
        )
    if kind == "pipeline":
        filled.setdefault("is_deterministic", False)
        _shorten_computes(filled)
    if isinstance(distribution := spec.get("distribution"), dict):
        filled["distribution"] = {key: _text(value) for key, value in distribution.items()}
    return filled


def _input(declared: Any) -> Any:
    return {"optional": False, **declared} if isinstance(declared, dict) else declared


def _text(value: Any) -> Any:
    """Numbers of a distribution come back as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _shorten_computes(spec: Json) -> None:
    """Take the prefix from the default of every input that names a node's compute."""
    for job in (spec.get("jobs") or {}).values():
        match = _PARENT_INPUT.fullmatch(str(job.get("computeId") or job.get("compute") or ""))
        declared = (spec.get("inputs") or {}).get(match[1]) if match else None
        if declared and isinstance(declared.get("default"), str):
            declared["default"] = declared["default"].removeprefix("azureml:")


def essence(field: str, value: Any) -> Any:
    """What of a property never changes: of a definition all but its name, description and the like."""
    if field != "componentSpec":
        return value
    return {key: held for key, held in (value or {}).items() if key not in _LABELS}


def next_version(known: list[Document]) -> str:
    """``1``, then the time in the form of Azure's own: to a tenth of a microsecond."""
    if not known:
        return "1"
    return f"{datetime.now(UTC):%Y-%m-%d-%H-%M-%S-%f}0"


NOUN = Noun(
    "components", "Component", ("componentSpec",), complete, essence=essence, next_version=next_version
)
