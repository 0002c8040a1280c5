"""Run history: one document a run, be it a pipeline, a step of one, or a run of an MLflow client."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

from azureml_local.arm.grammar import Json, not_found
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.store import Document, Store, now
from azureml_local.routing import part
from azureml_local.storage.addresses import artifact_prefix
from azureml_local.storage.files import ARTIFACTS, Files

# States that a run can still leave by itself.
ACTIVE = (
    "NotStarted",
    "Queued",
    "Preparing",
    "Provisioning",
    "Starting",
    "Running",
    "Finalizing",
    "CancelRequested",
)
# States that a run can still leave if it is canceled; every other is final.
OPEN = (*ACTIVE, "NotResponding", "Paused")
PIPELINE_LOG = "logs/azureml/executionlogs.txt"
COMMAND_LOG = "user_logs/std_log.txt"


class History(Part):
    """The runs of the workspace, in the store's kind ``runs``, and their experiments."""

    def __init__(self, store: Store, files: Files) -> None:
        self._store, self._files = store, files

    def create(
        self, run_id: str, kind: str, experiment: str, *, parent: str | None = None, **fields: Any
    ) -> Document:
        """Begin a run in state NotStarted.

        Args:
            run_id: name, unique in the workspace.
            kind: ``pipeline``, ``step`` (a pipeline below a pipeline), ``command`` or ``mlflow``.
            experiment: name of the experiment, made if missing.
            parent: the run above.
            **fields: further fields of the document: ``displayName``, ``compute``, ``outputs``...
        """
        above = self.get(parent) if parent else None
        root = above["rootRunId"] if above else run_id
        tags = dict(fields.pop("tags", None) or {})
        if parent:
            tags |= {"mlflow.parentRunId": parent, "mlflow.rootRunId": root}
        else:
            tags.setdefault("mlflow.rootRunId", run_id)
        body: Json = {
            "kind": kind,
            "experimentName": experiment,
            "experimentId": self.experiment(experiment)["id"],
            "parentRunId": parent,
            "rootRunId": root,
            "status": "NotStarted",
            "displayName": fields.pop("displayName", None) or run_id,
            "tags": tags,
            "properties": {},
            "parameters": {},
            "outputs": {},
            "hidden": False,
            **fields,
        }
        return self._store.put("runs", run_id, body)

    def get(self, run_id: str) -> Document:
        """The run of that id; ArmError 404 if there is none."""
        run = self._store.get("runs", run_id)
        if run is None:
            raise not_found("The run", run_id, "the run history of the workspace")
        return run

    def all(self) -> list[Document]:
        """Every run, oldest first."""
        return self._store.list("runs")

    def update(self, run_id: str, **changes: Any) -> None:
        """Change these fields of a run, and no other."""
        self._store.update("runs", run_id, **changes)

    def replace(self, run: Document) -> Document:
        """Write a run that was read and changed."""
        return self._store.put("runs", run.key, run)

    def delete(self, root: str) -> None:
        """Remove a root run and all below it."""
        for run in self.family(root):
            self._store.delete("runs", run.key)

    def children(self, run_id: str) -> list[Document]:
        """The runs directly below a run, oldest first."""
        return self._store.find("runs", "parentRunId", run_id)

    def family(self, root: str) -> list[Document]:
        """A root run and all below it, oldest first."""
        return self._store.find("runs", "rootRunId", root)

    def together(self) -> AbstractContextManager[None]:
        """A block whose changes are written in one step."""
        return self._store.together()

    def set_status(self, run_id: str, status: str, *, error: Json | None = None) -> None:
        """Move a run on, with its times of start and end. A final state is not left again."""
        run = self.get(run_id)
        if run["status"] not in OPEN:
            return
        changes: Json = {"status": status}
        if status == "Running" and not run.get("startTime"):
            changes["startTime"] = now()
        if status not in ACTIVE:
            changes["endTime"] = now()
        if error is not None:
            changes["error"] = error
        self._store.update("runs", run_id, **changes)

    def warn(self, run_id: str, message: str) -> None:
        """Add a warning to a run."""
        run = self.get(run_id)
        warnings = [*run.get("warnings", []), {"source": "AmlCompute", "message": message}]
        self._store.update("runs", run_id, warnings=warnings)

    def experiment(self, name: str) -> Document:
        """The experiment of that name, made if missing."""
        if (document := self._store.get("experiments", name)) is not None:
            return document
        # The id follows from the name: a client that kept it still finds the experiment after a reset.
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"experiments/{name}"))
        return self._store.put("experiments", name, {"id": identity, "tags": {}})

    def find_experiment(self, experiment_id: str) -> Document:
        """The experiment of an id; ``0`` is the default one, as in MLflow itself.

        Raises:
            ArmError: 404 if there is none.
        """
        if experiment_id == "0":
            return self.experiment("Default")
        for document in self._store.list("experiments"):
            if document["id"] == experiment_id:
                return document
        raise not_found("The experiment", experiment_id, "the workspace")

    def log_file(self, run: Document) -> Path:
        """The run's main log on disk."""
        return self.folder(run.key) / (COMMAND_LOG if run["kind"] == "command" else PIPELINE_LOG)

    def folder(self, run_id: str) -> Path:
        """Where a run's logs and artifacts lie on disk."""
        return self.artifact(run_id)

    def artifact(self, run_id: str, path: str = "") -> Path:
        """Local file or folder of an artifact, or of all of a run.

        Raises:
            ArmError: 400 for a path that leads outside the storage.
        """
        prefix = artifact_prefix(run_id)
        return self._files.path(ARTIFACTS, f"{prefix}/{path}" if path else prefix)

    def log_urls(self, run_id: str) -> dict[str, str]:
        """A readable URL for each log file of a run, by its path in the run."""
        folder = self.folder(run_id)
        files = sorted(
            path.relative_to(folder).as_posix()
            for name in ("user_logs", "logs", "system_logs")
            for path in (folder / name).rglob("*")
            if path.is_file()
        )
        return {name: self._files.sas_url(ARTIFACTS, f"{artifact_prefix(run_id)}/{name}") for name in files}

    def say(self, run_id: str, line: str) -> None:
        """Append a line to the log of a pipeline, in the form of Azure's own."""
        log = self.log_file(self.get(run_id))
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as stream:
            stream.write(f"[{now()[:19].replace('T', ' ')}Z] {line}\n")


HistoryDep = Annotated[History, part(History)]
