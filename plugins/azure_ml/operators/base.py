"""What all operators share: the connection, the hook, whose the resources are, and how a kill ends a task."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator, conf
from airflow.sdk.definitions.xcom_arg import PlainXComArg

from azure_ml.errors import AzureMLError, BadInput, Killed
from azure_ml.hook import AzureMLHook
from azure_ml.lifecycle import interruption, tags
from azure_ml.links import STUDIO_KEY

if TYPE_CHECKING:
    from airflow.sdk import Context


def optional(value: Any) -> Any:
    """``None`` for what a template renders when a parameter is null: an empty text, or ``None`` spelt out."""
    return None if value in (None, "", "None") else value


def names(value: str | Iterable[str] | None) -> list[str] | None:
    """A list from a list, from JSON, or from names with commas between; ``None`` for nothing."""
    if optional(value) is None:
        return None
    if not isinstance(value, str):
        return [str(item) for item in value or ()]
    if value.lstrip().startswith("["):
        return [str(item) for item in json.loads(value)]
    return [part.strip() for part in value.split(",") if part.strip()]


def deferred(value: bool | str | None) -> bool:
    """Whether to wait in the triggerer; nothing said means what ``[operators] default_deferrable`` says.

    Raises:
        BadInput: if it is neither true nor false nor empty.
    """
    if optional(value) is None:
        return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
    return truth(str(value))


def truth(value: bool | str) -> bool:
    """A boolean from a boolean or from a rendered template.

    Raises:
        BadInput: if it is neither.
    """
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise BadInput(f"{value!r} is neither true nor false: write one of them.")
    return text == "true"


class AzureMLOperator(BaseOperator):
    """Base of all operators here.

    Each key of the dictionary that an operator returns is an XCom of its own, too, so that
    ``operator.returned("endpoint_name")`` may be passed to the next one.

    Args:
        azure_ml_conn_id: Airflow connection of type ``azure_ml``.
    """

    template_fields: Sequence[str] = ("azure_ml_conn_id",)
    ui_color: str = "#d6eaff"

    def __init__(self, *, azure_ml_conn_id: str = AzureMLHook.default_conn_name, **kwargs: Any) -> None:
        kwargs.setdefault("multiple_outputs", True)
        super().__init__(**kwargs)
        self.azure_ml_conn_id = azure_ml_conn_id
        self._killed: Any = None

    @cached_property
    def hook(self) -> AzureMLHook:
        """The hook of the connection."""
        return AzureMLHook(self.azure_ml_conn_id)

    def returned(self, key: str) -> Any:
        """One entry of what the operator will return, to be passed to another one; sets the dependency."""
        return PlainXComArg(operator=self, key=key)

    def studio_url(self, path: str) -> str:
        """A page of Studio, empty if its address cannot be read: a button is no reason to fail."""
        try:
            return self.hook.studio_url(path)
        except AzureMLError as error:
            self.log.warning("There will be no button to Studio: %s", error)
            return ""

    def push_studio_url(self, context: Context, path: str) -> None:
        """Show the button to Studio even if the task fails later."""
        if url := self.studio_url(path):
            context["ti"].xcom_push(key=STUDIO_KEY, value=url)

    def owned_by(self, context: Context) -> dict[str, str]:
        """Tags by which this Dag run's resources are known; what lacks them is not touched."""
        return tags.owner_tags(*tags.run_of(context), self.hook.settings.project)

    def made_by(self, context: Context) -> dict[str, str]:
        """Tags of what this task creates and what costs nothing once it is there."""
        return tags.creator_tags(context, self.hook.settings.project)

    def leased_by(self, context: Context, lease: timedelta) -> dict[str, str]:
        """Tags of what this task creates and what is billed by the hour, with the end of its lease."""
        return tags.lease_tags(context, self.hook.settings.project, lease)

    def ended_by_a_person(self) -> bool:
        """Whether the task was ended for good, as told by Airflow; ``False`` where Airflow cannot tell soon.

        For ``on_kill``: a task whose worker stops, or that was cleared, is tried again and finds what there
        is; only after a task that was marked failed or skipped nobody comes back.
        """
        return self._killed is not None and interruption.ended_as_far_as_known(self._killed)

    def watch_for_kill(self, context: Context) -> None:
        """Remember which task instance this is, for :meth:`ended_by_a_person`."""
        self._killed = context["ti"]

    def stop_after(self, undo: Callable[[], object]) -> NoReturn:
        """End a killed task: undo what can be undone in the five seconds there are, then leave ``execute``.

        Raises:
            Killed: always.
        """
        try:
            undo()
        except AzureMLError as error:
            self.log.warning("Could not clean up while being killed: %s", error)
        raise self.killed()

    def killed(self) -> Killed:
        """What ``on_kill`` raises."""
        return Killed(
            f"The task {self.task_id!r} was killed: somebody ended it, or it took longer than its timeout."
        )
