"""The one table of states, as the published contracts name them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

from azure_ml.errors import UnknownState

# Sources: ``JobStatus``, ``EndpointProvisioningState``, ``DeploymentProvisioningState``, ``ProvisioningState`` of
# computes. What is not here, the contract's own ``Unknown`` among them, is an error and never a success.
Noun = Literal["job", "endpoint", "deployment", "compute", "operation"]


class Phase(StrEnum):
    """What a state means to somebody who waits."""

    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_PROVISIONING: Final = {
    Phase.ACTIVE: ("Creating", "Updating", "Deleting"),
    Phase.SUCCEEDED: ("Succeeded",),
    Phase.FAILED: ("Failed", "Canceled"),
}

STATES: Final[dict[Noun, dict[Phase, tuple[str, ...]]]] = {
    "job": {
        Phase.ACTIVE: (
            "NotStarted",
            "Scheduled",
            "Queued",
            "Provisioning",
            "Preparing",
            "Starting",
            "Running",
            "Finalizing",
            "CancelRequested",
        ),
        Phase.SUCCEEDED: ("Completed",),
        # The last two may go on one day, but nobody will wake them: to a task that waits they are failures.
        Phase.FAILED: ("Failed", "Canceled", "NotResponding", "Paused"),
    },
    "endpoint": _PROVISIONING,
    "deployment": {**_PROVISIONING, Phase.ACTIVE: ("Creating", "Updating", "Deleting", "Scaling")},
    "compute": _PROVISIONING,
    "operation": {
        Phase.ACTIVE: ("NotStarted", "Accepted", "InProgress", "Running"),
        Phase.SUCCEEDED: ("Succeeded",),
        Phase.FAILED: ("Failed", "Canceled"),
    },
}

# States that a job never leaves; in every other it may cost money.
ENDED_JOBS: Final = ("completed", "failed", "canceled")

# In lower case, as the service does not keep to one spelling.
_PHASES: Final[dict[tuple[Noun, str], Phase]] = {
    (noun, state.lower()): phase
    for noun, phases in STATES.items()
    for phase, states in phases.items()
    for state in states
}


def phase(noun: Noun, state: str | None, name: str = "") -> Phase:
    """What a state means; raises :class:`UnknownState`, with the resource's name, if the table lacks it."""
    known_phase = _PHASES.get((noun, (state or "").lower()))
    if known_phase is None:
        known = ", ".join(known for states in STATES[noun].values() for known in states)
        raise UnknownState(
            f"The {noun} {name!r} is in state {state!r}, which is none of the known ones ({known}): "
            "look at it in Azure ML Studio, and add it to azure_ml/states.py once its meaning is clear."
        )
    return known_phase


def is_active(noun: Noun, state: str | None, name: str = "") -> bool:
    """Whether an operation is under way; raises as :func:`phase`."""
    return phase(noun, state, name) is Phase.ACTIVE


def is_success(noun: Noun, state: str | None, name: str = "") -> bool:
    """Whether the resource reached its goal; raises as :func:`phase`."""
    return phase(noun, state, name) is Phase.SUCCEEDED


def may_be_canceled(state: str | None) -> bool:
    """Whether a job in ``state`` may still cost money; true for a state that nobody knows."""
    return (state or "").lower() not in ENDED_JOBS
