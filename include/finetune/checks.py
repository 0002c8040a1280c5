"""What an operator has typed into the form, looked at before anything is paid for, by what later tasks do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from azure_ml.bounds import TEXT
from azure_ml.errors import BadInput
from azure_ml.hook.jobs.budgets import Budgets
from azure_ml.names import Named, require_name
from azure_ml.operators.rendered import deferred, whole
from include.finetune import names
from include.finetune.data.conversation import short
from include.finetune.errors import InputError

MAX_SEED: Final = 2**32 - 1
MAX_MACHINES: Final = 1000
MAX_ITEMS: Final = 200

Values = Mapping[str, Any]


def require_form(values: Values) -> None:
    """Raise ``InputError``, with the field's name, for the first value that a later task could not use."""
    for field, value in values.items():
        for text in _texts(field, value):
            if not text.isprintable():
                raise InputError(
                    f"{field} is {short(value)}: remove new lines and what else cannot be printed."
                )
    for field, low, high in (
        ("seed", 0, MAX_SEED),
        ("compute_min_instances", 0, MAX_MACHINES),
        ("compute_max_instances", 1, MAX_MACHINES),
    ):
        _require_whole(field, values.get(field), low, high)
    if whole(values["compute_min_instances"]) > whole(values["compute_max_instances"]):
        raise InputError(
            f"compute_min_instances is {values['compute_min_instances']!r}, above compute_max_instances "
            f"{values['compute_max_instances']!r}: machines while idle cannot be more than machines at most."
        )
    for field, check in _checks(values).items():
        try:
            check()
        except (BadInput, ValueError) as error:
            raise InputError(f"{field} is {short(values.get(field))}: {error}") from error


def _checks(values: Values) -> dict[str, Callable[[], object]]:
    model = str(values["model_name"])
    experiment = values.get("experiment_name") or names.experiment_name(model)

    def named(kind: Named, name: object) -> Callable[[], None]:
        return lambda: require_name(kind, str(name))

    return {
        "model_name": named("asset", names.registered_model_name(model)),
        "experiment_name": named("experiment", experiment),
        "dataset": named("asset", f"{names.data_asset_name(str(values['dataset']))}-test-gen"),
        "compute_cluster": named("compute", values["compute_cluster"]),
        "queue_hours": lambda: Budgets.of(values["queue_hours"], 1),
        "run_hours": lambda: Budgets.of(1, values["run_hours"]),
        "deferrable": lambda: deferred(values.get("deferrable")),
        "compute_vm_size": lambda: _require_size(values["compute_vm_size"]),
        "instance_type": lambda: _require_size(values["instance_type"]),
    }


def _require_size(value: object) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= 100:
        raise InputError("give the name of a VM size, for example Standard_NC24ads_A100_v4.")


def _require_whole(field: str, value: object, low: int, high: int) -> None:
    try:
        fits = low <= whole(value) <= high
    except BadInput:
        fits = False
    if not fits:
        raise InputError(f"{field} is {short(value)}: give a whole number from {low} to {high}.")


def _texts(field: str, value: object, depth: int = 0) -> Iterator[str]:
    """Every text in a value; raises ``InputError`` for more than anybody types."""
    if isinstance(value, str):
        if len(value) > TEXT:
            raise InputError(f"{field} has {len(value)} characters: give at most {TEXT}.")
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        if len(value) > MAX_ITEMS or depth > 3:
            raise InputError(f"{field} has too many entries or levels: give at most {MAX_ITEMS} and 3.")
        for item in value.items() if isinstance(value, Mapping) else value:
            yield from _texts(field, item, depth + 1)
