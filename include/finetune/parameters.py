"""Which training parameters a job gets: the recipe's, overridden by the model's, overridden by the user's."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from include.finetune.errors import InputError
from include.finetune.recipe import DEFAULTS, inputs

log = logging.getLogger(__name__)

Declaration = Mapping[str, Any]

SET_BY_THE_DAG: Final = tuple(inputs(model=None, train=None, test=None, cluster=None, gpus=None))
"""Inputs that follow from the run's other choices."""

ASSET_TYPES: Final = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model")


class Component(Protocol):
    """What is asked of a component."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def id(self) -> str:
        """Its registry id."""

    @property
    def inputs(self) -> Mapping[str, Declaration]:
        """Its inputs by name, in the form of its YAML."""


@dataclass(frozen=True)
class Resolved:
    """The parameters, where each comes from, and what the model asks for that the component does not have."""

    parameters: dict[str, Any]
    sources: dict[str, str]
    passed_over: dict[str, Any]

    def lines(self) -> list[str]:
        """One line a parameter, for the log."""
        width = max(map(len, self.parameters), default=0)
        found = [
            f"{name:{width}}  {value}  (from {self.sources[name]})" for name, value in self.parameters.items()
        ]
        return found + [
            f"{name:{width}}  {value}  (the model's default; the component has no such input: passed over)"
            for name, value in self.passed_over.items()
        ]


def for_component(component: Component, model: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a job of the component; the log says which value won, and from where.

    Returns:
        ``{"parameters": dict, "sources": {parameter: "recipe" | "model" | "user"}, "component": {"name",
        "version", "id"}}``

    Raises:
        InputError: as :func:`resolve`.
    """
    found = resolve(DEFAULTS, model, user, component.inputs)
    log.info("Parameters of %s %s:\n%s", component.name, component.version, "\n".join(found.lines()))
    return {
        "parameters": found.parameters,
        "sources": found.sources,
        "component": {"name": component.name, "version": component.version, "id": component.id},
    }


def resolve(
    recipe: Mapping[str, Any],
    model: Mapping[str, Any],
    user: Mapping[str, Any],
    inputs: Mapping[str, Declaration],
) -> Resolved:
    """Merge the three sources and check the result against the component.

    ``x_min`` and ``x_max`` among the model's defaults bound ``x``, unless the component has inputs of those
    names.

    Args:
        recipe: this project's values.
        model: the base model's own values.
        user: what the user asks for; ``None`` means "not asked for".
        inputs: the component's inputs by name, in the form of its YAML.

    Raises:
        InputError: if a parameter does not exist or its value is not allowed.
    """
    asked = {name: value for name, value in user.items() if value is not None}
    for name in asked:
        _require_input(name, inputs)
    sources = {"recipe": recipe, "model": model, "user": asked}
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for source, values in sources.items():
        for name, value in values.items():
            if name in inputs:
                merged[name], origin[name] = value, source
    checked = {name: check(name, value, inputs[name]) for name, value in merged.items()}
    for name, value in checked.items():
        _check_bounds(name, value, model, inputs)
    unknown = {name: value for name, value in {**recipe, **model}.items() if not _known(name, inputs)}
    return Resolved(dict(sorted(checked.items())), origin, unknown)


def check(name: str, value: Any, declaration: Declaration) -> Any:
    """A value in the type of its input.

    Raises:
        InputError: if it has another type, is not among the allowed ones, or is out of range.
    """
    kind = str(declaration.get("type", "string"))
    typed = _typed(name, value, kind)
    if (allowed := declaration.get("enum")) and str(typed) not in [str(choice) for choice in allowed]:
        choices = ", ".join(repr(str(choice)) for choice in allowed)
        raise InputError(
            f"The parameter {name!r} is {value!r}, which is not allowed: choose one of {choices}."
        )
    _within(name, typed, declaration.get("min"), declaration.get("max"), "the component")
    return typed


def _known(name: str, inputs: Mapping[str, Declaration]) -> bool:
    """Whether a name is an input, or bounds one."""
    return name in inputs or name.removesuffix("_min").removesuffix("_max") in inputs


def _require_input(name: str, inputs: Mapping[str, Declaration]) -> None:
    if name in SET_BY_THE_DAG:
        raise InputError(f"The parameter {name!r} is set by the Dag itself: remove it from your parameters.")
    if name not in inputs:
        near = difflib.get_close_matches(name, inputs, n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(map(repr, near))}?"
            if near
            else f"it has {', '.join(sorted(inputs))}."
        )
        raise InputError(f"The component has no parameter {name!r}: {hint}")
    if inputs[name].get("type") in ASSET_TYPES:
        raise InputError(
            f"The parameter {name!r} takes a file or model, which the Dag does not pass on: "
            "remove it from your parameters."
        )


def _typed(name: str, value: Any, kind: str) -> Any:
    if kind == "string":
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "boolean":
        return str(value).lower() == "true"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(
            f"The parameter {name!r} is {value!r}, which is no number: give one of type {kind}."
        ) from None
    if kind == "integer":
        if isinstance(value, bool) or number != int(number):
            raise InputError(f"The parameter {name!r} is {value!r}, which is no whole number: give one.")
        return int(number)
    return number


def _within(name: str, value: Any, low: Any, high: Any, who: str) -> None:
    if not isinstance(value, (int, float)):
        return
    if (low is not None and value < float(low)) or (high is not None and value > float(high)):
        bounds = " and ".join(
            f"{word} {bound}" for word, bound in (("at least", low), ("at most", high)) if bound is not None
        )
        raise InputError(f"The parameter {name!r} is {value!r}, which is out of range: {who} wants {bounds}.")


def _check_bounds(name: str, value: Any, model: Mapping[str, Any], inputs: Mapping[str, Declaration]) -> None:
    low, high = (
        model.get(f"{name}_{end}") if f"{name}_{end}" not in inputs else None for end in ("min", "max")
    )
    _within(name, value, low, high, "the model")
