"""The training parameters of a job: the user's override the model's, which override the recipe's."""

from __future__ import annotations

import difflib
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from azure_ml.bounds import TEXT
from include.finetune.data.conversation import short
from include.finetune.errors import InputError
from include.finetune.recipe import DEFAULTS, INPUTS_OF_THE_DAG

if TYPE_CHECKING:
    from azure_ml.hook.registry import Component

log = logging.getLogger(__name__)

Declaration = Mapping[str, Any]

MAX_INTEGER: Final = 2**31 - 1
# What a user may set, in whatever field: beyond these no training comes to anything, and it is paid for.
RANGES: Final = {
    "learning_rate": (1e-12, 1.0),
    "num_train_epochs": (1, 1000),
    "per_device_train_batch_size": (1, 4096),
}

ASSET_TYPES: Final = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model")


@dataclass(frozen=True)
class Resolved:
    """The parameters, the source of each, and the model's defaults that the component has no input for."""

    parameters: dict[str, Any]
    sources: dict[str, str]
    ignored: dict[str, Any]

    def lines(self) -> list[str]:
        """One line a parameter, for the log."""
        width = max(map(len, self.parameters), default=0)
        used = [
            f"{name:{width}}  {value}  (from {self.sources[name]})" for name, value in self.parameters.items()
        ]
        return used + [
            f"{name:{width}}  {value}  (the model's default; the component has no such input: passed over)"
            for name, value in self.ignored.items()
        ]


def for_component(component: Component, model: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """:func:`resolve` for a component; the log says which value won, and its source.

    Returns:
        ``{"parameters": dict, "sources": {parameter: "recipe" | "model" | "user"}, "component": {"name",
        "version", "id"}}``
    """
    resolved = resolve(DEFAULTS, model, user, component.inputs)
    log.info("Parameters of %s %s:\n%s", component.name, component.version, "\n".join(resolved.lines()))
    return {
        "parameters": resolved.parameters,
        "sources": resolved.sources,
        "component": {"name": component.name, "version": component.version, "id": component.id},
    }


def resolve(
    recipe: Mapping[str, Any],
    model: Mapping[str, Any],
    user: Mapping[str, Any],
    inputs: Mapping[str, Declaration],
) -> Resolved:
    """Merge the three sources and check the result against the component.

    Args:
        recipe: This project's values.
        model: The base model's own values.
        user: The user's values; ``None`` stands for a field left empty.
        inputs: The component's inputs by name, as in its YAML.

    Raises:
        InputError: If a parameter does not exist or its value is not allowed.
    """
    user = {name: value for name, value in user.items() if value is not None}
    for name in user:
        _require_input(name, inputs)
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for source, values in (("recipe", recipe), ("model", model), ("user", user)):
        for name, value in values.items():
            if name in inputs:
                merged[name], origin[name] = value, source
    checked = {name: check(name, value, inputs[name]) for name, value in merged.items()}
    for name, value in checked.items():
        _check_bounds(name, value, model, inputs)
        if origin[name] == "user" and name in RANGES:
            low, high = RANGES[name]
            _within(name, value, low, high, "training")
    ignored = {name: value for name, value in {**recipe, **model}.items() if not _known(name, inputs)}
    return Resolved(dict(sorted(checked.items())), origin, ignored)


def check(name: str, value: Any, declaration: Declaration) -> Any:
    """The value in the type of its input; raises ``InputError`` for a wrong type, choice or range."""
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
    return name in inputs or name.removesuffix("_min").removesuffix("_max") in inputs


def _require_input(name: str, inputs: Mapping[str, Declaration]) -> None:
    if name in INPUTS_OF_THE_DAG:
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
        if (
            not isinstance(value, (str, bool, int, float))
            or not str(value).isprintable()
            or len(str(value)) > TEXT
        ):
            raise InputError(f"The parameter {name!r} is {short(value)}: give a text on one line.")
        # The components compare with "true" and "false", not with Python's "True".
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "boolean":
        if str(value).lower() not in ("true", "false"):
            raise InputError(f"The parameter {name!r} is {short(value)}: write true or false.")
        return str(value).lower() == "true"
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(
            f"The parameter {name!r} is {short(value)}, which is no number: give one of type {kind}."
        )
    if kind == "integer":
        if isinstance(value, bool) or not number.is_integer() or abs(number) > MAX_INTEGER:
            raise InputError(
                f"The parameter {name!r} is {short(value)}, which is no whole number of 32 bits: give one."
            )
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
    # A model's defaults may hold x_min and x_max as bounds of x; a component may have inputs of just those names.
    low, high = (
        model.get(f"{name}_{end}") if f"{name}_{end}" not in inputs else None for end in ("min", "max")
    )
    _within(name, value, low, high, "the model")
