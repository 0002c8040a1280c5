"""Operators for models: base models of the registry, and the workspace's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azure_ml.links import STUDIO_KEY, ModelLink
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, optional

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLGetRegistryModelOperator(AzureMLOperator):
    """Look up a base model in the registry; creates nothing.

    Args:
        model_name: of the model.
        model_version: of the model; empty for the newest that is not archived.

    Returns:
        ``{"name": str, "version": str, "id": str, "fine_tune_vm_sizes": list | None, "inference_vm_sizes":
        list | None, "defaults": dict}``; the lists are the model's allow-lists of VM sizes, the defaults its
        own training parameters.

    Raises:
        NotFound: if there is no such model or version.
        BadInput: if the version is archived.

    Example::

        AzureMLGetRegistryModelOperator(task_id="choose_model", model_name="Phi-3-mini-4k-instruct")
    """

    template_fields = (*AzureMLOperator.template_fields, "model_name", "model_version")

    def __init__(self, *, model_name: str, model_version: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model_name = model_name
        self.model_version = model_version

    def execute(self, context: Context) -> dict[str, Any]:
        """Look."""
        require_name("registry model", self.model_name)
        version = optional(self.model_version)
        if version is not None:
            require_name("version", str(version))
        model = self.hook.registry.model(
            self.model_name, None if version in (None, "latest") else str(version)
        )
        self.log.info("Model %s version %s, id %s", model.name, model.version, model.id)
        self.log.info(
            "May be fine-tuned on: %s", ", ".join(model.fine_tune_vm_sizes or ["the model does not say"])
        )
        self.log.info(
            "May be deployed on: %s", ", ".join(model.inference_vm_sizes or ["the model does not say"])
        )
        return {
            "name": model.name,
            "version": model.version,
            "id": model.id,
            "fine_tune_vm_sizes": model.fine_tune_vm_sizes,
            "inference_vm_sizes": model.inference_vm_sizes,
            "defaults": model.defaults,
        }


class AzureMLRegisterModelOperator(AzureMLOperator):
    """Register a completed job's output as an MLflow model of the workspace.

    A retry finds the version that the job has registered already, and makes no second one.

    Args:
        job_name: of the job.
        output_name: of the job's output.
        model_name: of the model.
        model_version: of the model; empty for one more than the highest number there is.
        description: shown in Studio.
        tags: lineage, for example base model and data; job, Dag and run are added.

    Returns:
        ``{"name": str, "version": str, "id": str, "studio_url": str}``

    Example::

        AzureMLRegisterModelOperator(task_id="register", job_name="j", output_name="trained_model",
        model_name="my-model")
    """

    template_fields = (
        *AzureMLOperator.template_fields,
        "job_name",
        "output_name",
        "model_name",
        "model_version",
        "description",
        "tags",
    )
    operator_extra_links = (ModelLink(),)

    def __init__(
        self,
        *,
        job_name: str,
        output_name: str,
        model_name: str,
        model_version: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.output_name = output_name
        self.model_name = model_name
        self.model_version = model_version
        self.description = description
        self.tags = tags or {}

    def execute(self, context: Context) -> dict[str, str]:
        """Register."""
        require_name("asset", self.model_name)
        if optional(self.model_version) is not None:
            require_name("version", str(self.model_version))
        model = self.hook.models.register_output(
            self.job_name,
            self.output_name,
            self.model_name,
            version=optional(self.model_version),
            description=self.description,
            tags={**{key: str(value) for key, value in self.tags.items()}, **self.made_by(context)},
        )
        self.log.info("Registered model %s version %s, id %s", model.name, model.version, model.id)
        page = self.studio_url(f"/model/{model.name}:{model.version}/details")
        return {"name": model.name, "version": model.version, "id": model.id, STUDIO_KEY: page}
