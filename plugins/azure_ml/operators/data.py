"""Operators for data assets."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure_ml.masking import masked, masked_values
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, Result

if TYPE_CHECKING:
    from airflow.sdk import Context

# Called as ``prepare(folder, **op_kwargs)``; returns the files by key, and a summary that becomes XCom.
Prepare = Callable[..., tuple[Mapping[str, Path], Mapping[str, object]]]


def content_version(path: Path) -> str:
    """A version that is the same for the same content: the first 16 hex digits of its SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


class AzureMLPrepareDataOperator(AzureMLOperator):
    """Make files with a function, upload them, and register each as a data asset of type ``uri_file``.

    A retry, or another run with the same data, finds the asset that exists. Returns the summary, and for each file
    of key ``k``: ``k_uri`` (``azureml://...``) and ``k_id`` (``azureml:name:version``).
    """

    template_fields = (*AzureMLOperator.template_fields, "op_kwargs", "asset_name", "description")

    def __init__(
        self,
        *,
        prepare: Prepare,
        asset_name: str,  # first part of the assets' names; the second is the file's key
        op_kwargs: Mapping[str, object] | None = None,
        description: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.prepare = prepare
        self.op_kwargs = op_kwargs or {}
        self.asset_name = asset_name
        self.description = description

    def execute(self, context: Context) -> Result:
        """Make, upload, register."""
        require_name("asset", self.asset_name)
        with tempfile.TemporaryDirectory(prefix="azure-ml-data-") as folder:
            files, summary = self.prepare(Path(folder), **self.op_kwargs)
            result = dict(masked_values(summary))
            for key, path in files.items():
                asset = self.hook.data.register_file(
                    f"{self.asset_name}-{key}".replace("_", "-"),
                    content_version(path),
                    path,
                    description=masked(self.description),
                    tags=self.made_by(context),
                )
                self.log.info("Data asset %s version %s: %s", asset.name, asset.version, asset.uri)
                result[f"{key}_uri"], result[f"{key}_id"] = asset.uri, f"azureml:{asset.name}:{asset.version}"
        return result

    def on_kill(self) -> None:
        """Leave at once; a half uploaded file belongs to no asset."""
        self.interrupt()
