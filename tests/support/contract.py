"""Checks a body against Azure's published contract, read from ``../shared/azureml``, outside this repository.

Real answers differ from the contract in four ways, and only these are let pass: null where it is not
nullable, undeclared properties, letter case of enums, a datastore's missing ``credentials.secrets``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema  # type: ignore[import-untyped]
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

SHARED = Path(__file__).resolve().parents[3] / "shared" / "azureml"
NEAREST = {"2025-01-01-preview": "2024-10-01-preview"}
"""Versions that are not at hand, and the one before them, which is checked instead."""
PREFIXES = ("/mferp/managementfrontend",)
Json = dict[str, Any]


def needed() -> None:
    """Skip the test, and say why, where the contract is not at hand."""
    if not SHARED.is_dir():
        pytest.skip(f"Azure's published contract is not at {SHARED}.")


@cache
def _load(file: Path) -> Json:
    return dict(json.loads(file.read_text()))


def _retrieve(uri: str) -> Resource[Any]:
    contents = _load(Path(urlsplit(uri).path))
    return Resource.from_contents(contents, default_specification=DRAFT4)


@cache
def _operations(version: str) -> list[tuple[re.Pattern[str], Path, str]]:
    """Route pattern, file and template of every path of an api-version, the most specific first."""
    files = [
        file
        for plane in ("swagger", "private-planes")
        for file in (SHARED / plane).rglob(f"{version}/*.json")
        if "examples" not in file.parts
    ]
    if version in ("", "v1.0"):
        planes = SHARED / "private-planes"
        files += [*planes.rglob("registry-discovery.json"), *planes.rglob("run-history.json")]
    operations = []
    for file in files:
        for template in _load(file).get("paths", {}):
            pattern = re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template))
            operations.append((re.compile(pattern, re.I), file, template))
    return sorted(operations, key=lambda item: item[2].count("{"))


def _response(method: str, path: str, version: str, status: int) -> tuple[Path, list[str], Json] | None:
    """File, JSON pointer and schema of an answer; None if the contract has no such route."""
    for prefix in PREFIXES:
        path = path.removeprefix(prefix)
    for pattern, file, template in _operations(version):
        operation = _load(file)["paths"][template].get(method.lower())
        if not operation or not pattern.fullmatch(path):
            continue
        code = str(status) if str(status) in operation["responses"] else "default"
        if code not in operation["responses"]:
            raise AssertionError(f"{method} {path} answers {status}, which {version} does not declare.")
        response = operation["responses"][code]
        return file, ["paths", template, method.lower(), "responses", code], response
    return None


def _type(validator: Any, kinds: Any, instance: Any, schema: Json) -> Iterator[jsonschema.ValidationError]:
    if instance is not None:
        yield from jsonschema.Draft4Validator.VALIDATORS["type"](validator, kinds, instance, schema)


def _enum(
    validator: Any, values: list[Any], instance: Any, schema: Json
) -> Iterator[jsonschema.ValidationError]:
    known = [str(value).lower() for value in values]
    if instance is not None and str(instance).lower() not in known:
        yield jsonschema.ValidationError(f"{instance!r} is not one of {values}")


def _required(
    validator: Any, names: list[str], instance: Any, schema: Json
) -> Iterator[jsonschema.ValidationError]:
    if isinstance(instance, dict):
        for name in names:
            if name not in instance and not (name == "secrets" and "credentialsType" in instance):
                yield jsonschema.ValidationError(f"{name!r} is missing")


def _discriminator(
    validator: Any, field: str, instance: Any, schema: Json
) -> Iterator[jsonschema.ValidationError]:
    """Check against the definition that the discriminator's value names."""
    value = instance.get(field) if isinstance(instance, dict) else None
    definitions = validator._resolver.lookup("#").contents.get("definitions", {})
    for key, definition in definitions.items():
        if str(definition.get("x-ms-discriminator-value", "")).lower() != str(value).lower():
            continue
        if not _inherits(validator, definition, schema) or (id(instance), key) in _open:
            continue
        _open.add((id(instance), key))
        try:
            yield from validator.descend(instance, {"$ref": f"#/definitions/{key}"}, schema_path=key)
        finally:
            _open.discard((id(instance), key))


_open: set[tuple[int, str]] = set()


def _registry() -> Any:
    return Registry(retrieve=_retrieve)  # type: ignore[call-arg]


def _inherits(validator: Any, definition: Json, base: Json) -> bool:
    for part in definition.get("allOf", []):
        parent = validator._resolver.lookup(part["$ref"]).contents if "$ref" in part else part
        if parent is base or parent == base or _inherits(validator, parent, base):
            return True
    return False


def _anything(*_: Any) -> Iterator[jsonschema.ValidationError]:
    yield from ()


def _additional(
    validator: Any, extra: Any, instance: Any, schema: Json
) -> Iterator[jsonschema.ValidationError]:
    if isinstance(extra, dict):
        yield from jsonschema.Draft4Validator.VALIDATORS["additionalProperties"](
            validator, extra, instance, schema
        )


def _format(validator: Any, form: str, instance: Any, schema: Json) -> Iterator[jsonschema.ValidationError]:
    if (
        form == "date-time"
        and isinstance(instance, str)
        and not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", instance)
    ):
        yield jsonschema.ValidationError(f"{instance!r} is no date-time")
    if form == "duration" and isinstance(instance, str) and not re.fullmatch(r"P(?=.)[\dDT.HMS]*", instance):
        yield jsonschema.ValidationError(f"{instance!r} is no duration")


Checker = jsonschema.validators.extend(
    jsonschema.Draft4Validator,
    {
        "type": _type,
        "enum": _enum,
        "required": _required,
        "discriminator": _discriminator,
        "additionalProperties": _additional,
        "format": _format,
        "readOnly": _anything,
        "example": _anything,
    },
)


def problems(method: str, url: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer, in words; empty if nothing is.

    Args:
        method: HTTP method of the request.
        url: its address with the query, which names the api-version.
        status: status of the answer.
        body: its JSON; None for none.

    Raises:
        LookupError: if the contract knows no such route.
        AssertionError: if the route does not declare the status.
    """
    parts = urlsplit(url)
    requested = parse_qs(parts.query).get("api-version", [""])[0]
    version = NEAREST.get(requested, requested)
    response = _response(method, parts.path, version, status)
    if response is None:
        raise LookupError(f"The contract of {version!r} has no {method} {parts.path}.")
    file, pointer, declared = response
    if "schema" not in declared and "content" not in declared:
        return []
    pointer = (
        [*pointer, "schema"] if "schema" in declared else [*pointer, "content", "application/json", "schema"]
    )
    escaped = "/".join(
        part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D") for part in pointer
    )
    checker = Checker({"$ref": f"file://{file}#/{escaped}"}, registry=_registry())
    return [f"{error.json_path}: {error.message[:300]}" for error in checker.iter_errors(body)]
