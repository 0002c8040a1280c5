"""What all operators share: the connection, the owner's tags, a state that outlives a try, and a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from airflow.sdk import BaseOperator
from airflow.sdk.definitions.xcom_arg import PlainXComArg

from azure_ml.errors import AzureMLError, Killed
from azure_ml.hook import AzureMLHook
from azure_ml.lifecycle import interruption, tags, teardown
from azure_ml.links import STUDIO_KEY
from azure_ml.operators.results import require_results
from azure_ml.payload import Payload

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import Context

# What an operator returns: each key is an XCom of its own, too.
Result: TypeAlias = Payload


class AzureMLOperator(BaseOperator):
    """Base of all operators here; ``operator.returned(key)`` passes one entry of the result to another one."""

    template_fields: Sequence[str] = ("azure_ml_conn_id",)
    ui_color: str = "#d6eaff"

    def __init__(self, *, azure_ml_conn_id: str = AzureMLHook.default_conn_name, **kwargs: Any) -> None:
        kwargs.setdefault("multiple_outputs", True)
        super().__init__(**kwargs)
        self.azure_ml_conn_id = azure_ml_conn_id
        self._context: Context | None = None
        self._state: dict[str, Payload] = {}

    @cached_property
    def hook(self) -> AzureMLHook:
        """The hook of the connection."""
        return AzureMLHook(self.azure_ml_conn_id)

    @property
    def project(self) -> str:
        """The connection's project, for templates of names: it is a part of the name of all that a run creates."""
        return self.hook.settings.project

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render; raises :class:`BadInput`, with the name of the other task, if a result of it is missing."""
        given = {field: getattr(self, field) for field in self.template_fields}
        try:
            super().render_template_fields(context, jinja_env)
        except Exception:
            # A template that reads a missing result may have failed because of it.
            require_results(given, vars(self), self.task_id)
            raise
        require_results(given, vars(self), self.task_id)

    def require_teardown(self, context: Context) -> None:
        """Refuse to create what a teardown of this Dag ends, once that teardown runs or has run."""
        after = self.get_flat_relatives(upstream=False) if self.get_dag() else ()
        ids = [task.task_id for task in after if self.task_id in getattr(task, "created_by", ())]
        teardown.require_to_come(context, ids, self.task_id)

    # Any, as an XComArg stands for a value of whatever type the other operator takes.
    def returned(self, key: str) -> Any:
        """One entry of the result, for another operator; sets the dependency."""
        return PlainXComArg(operator=self, key=key)

    def studio_url(self, path: str) -> str:
        """A page of Studio; empty if its address cannot be read, as a button is no reason to fail."""
        try:
            return self.hook.studio_url(path)
        except AzureMLError as error:
            self.log.warning("There will be no button to Studio: %s", error)
            return ""

    def push_studio_url(self, context: Context, path: str) -> None:
        """Show the button to Studio even if the task fails later."""
        if url := self.studio_url(path):
            self.log.info("In Studio: %s", url)
            context["ti"].xcom_push(key=STUDIO_KEY, value=url)

    def owned_by(self, context: Context) -> dict[str, str]:
        """Tags of this Dag run's resources; nothing without them is touched."""
        return tags.owner_tags(*tags.run_of(context), self.hook.settings.project)

    def made_by(self, context: Context) -> dict[str, str]:
        """Tags of what this task creates and what costs nothing once it exists."""
        return tags.creator_tags(context, self.hook.settings.project)

    def leased_by(self, context: Context, lease: timedelta) -> dict[str, str]:
        """Tags of what this task creates and what is billed by the hour, with the end of its lease."""
        return tags.lease_tags(context, self.hook.settings.project, lease)

    # ``on_kill`` gets no context.
    def keep_context(self, context: Context) -> None:
        """Prepare for :meth:`load_state`, :meth:`save_state` and :meth:`interrupt`."""
        self._context, self._state = context, {}

    def load_state(self, key: str) -> Payload:
        """What an earlier try, or this one before a deferral, saved under a key; empty if nothing."""
        if self._context is None:
            return {}
        # Kept, as a process that is being killed cannot ask Airflow.
        if key not in self._state:
            store = self._context.get("task_state_store")
            self._state[key] = dict((store.get(key) if store is not None else None) or {})  # type: ignore[arg-type]
        return self._state[key]

    def save_state(self, key: str, value: Payload) -> None:
        """Save in Airflow's task state store, which retries, deferrals and clears share."""
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        if self._context is None:
            return
        self._state[key] = dict(value)
        store = self._context.get("task_state_store")
        if store is not None:
            store.set(key, self._state[key], retention=NEVER_EXPIRE)

    def interrupt(self, undo: Callable[[], object] | None = None) -> NoReturn:
        """End a killed task at once, with :class:`Killed`; first undo what it began, if a user ended it for good."""
        if undo is not None and self._context is not None:
            interruption.undo_if_ended(self._context["ti"], undo)
        raise Killed(
            f"The task {self.task_id!r} was killed: somebody ended it, or it took longer than its timeout."
        )
