"""What a deployment is made from: the folders of its model and its code."""

from __future__ import annotations

from pathlib import Path

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.engine.store import Store
from azureml_local.provisioning.everything import will_exist
from azureml_local.settings import Settings
from azureml_local.storage.addresses import model_key
from azureml_local.storage.uris import Uris


class Sources:
    """Finds the files of models and code by their ids."""

    def __init__(self, store: Store, uris: Uris, settings: Settings) -> None:
        self._store, self._uris, self._settings = store, uris, settings

    def is_mlflow(self, model: str) -> bool:
        """Whether a model can be served without code; those of registries can."""
        key = model_key(model)
        document = self._store.get("models", key) if key else None
        return document is None or document["properties"]["modelType"] == "mlflow_model"

    def model_folder(self, model: str | None) -> Path:
        """Folder of the model's files; raises ArmError 400 if there is no such model."""
        if not model:
            raise _refusal("A deployment needs a model: the id of a registered one.", "model")
        try:
            folder = self._uris.resolve(model)
        except ArmError as error:
            raise _refusal(f"Model {model!r} cannot be deployed: {error.message}", "model") from error
        if not will_exist(self._settings, folder):
            raise _refusal(f"Model {model!r} has no files.", "model")
        return folder

    def code_folder(self, code: Json) -> Path:
        """Folder of a deployment's code.

        Args:
            code: a ``codeConfiguration``.

        Raises:
            ArmError: 400 if there is no such code, or no script is named.
        """
        code_id, script = code.get("codeId"), code.get("scoringScript")
        if not code_id or not script or Path(script).is_absolute() or ".." in Path(script).parts:
            raise _refusal(
                f"codeConfiguration has codeId {code_id!r} and scoringScript {script!r}: give the id of a code "
                "asset and the path of a script inside it.",
                "codeConfiguration",
            )
        try:
            folder = self._uris.resolve(code_id)
        except ArmError as error:
            raise _refusal(
                f"Code {code_id!r} cannot be used: {error.message}", "codeConfiguration"
            ) from error
        if not folder.is_dir():
            raise _refusal(f"Code {code_id!r} has no files.", "codeConfiguration")
        return folder


def _refusal(message: str, target: str) -> ArmError:
    return ArmError(400, "BadArgument", message, target=target)
