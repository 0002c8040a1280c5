"""Operators for models: base models of the registry, and the workspace's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azure_ml.bounds import LINE, cut
from azure_ml.links import STUDIO_KEY, ModelLink
from azure_ml.masking import masked
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, Result
from azure_ml.operators.rendered import optional

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLGetRegistryModelOperator(AzureMLOperator):
    """Look up a base model in the registry; creates nothing.

    Returns ``{"name": str, "version": str, "id": str, "fine_tune_vm_sizes": list, "inference_vm_sizes": list,
    "defaults": dict}``: see :class:`azure_ml.hook.registry_models.RegistryModel`; the lists are empty where the
    model does not say, as a result that is null counts as missing.
    """

    template_fields = (*AzureMLOperator.template_fields, "model_name", "model_version")

    def __init__(
        self,
        *,
        model_name: str,
        model_version: str | None = None,  # empty or "latest": the newest that is not archived
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.model_name = model_name
        self.model_version = model_version

    def execute(self, context: Context) -> Result:
        """Read the model."""
        require_name("registry model", self.model_name)
        version = optional(self.model_version)
        if version is not None:
            require_name("version", version)
        model = self.hook.registry.model(self.model_name, None if version == "latest" else version)
        self.log.info("Model %s version %s, id %s", model.name, model.version, model.id)
        for purpose, sizes in (
            ("fine-tuned", model.fine_tune_vm_sizes),
            ("deployed", model.inference_vm_sizes),
        ):
            self.log.info(
                "May be %s on: %s", purpose, cut(", ".join(sizes or ["the model does not say"]), LINE)
            )
        return {
            "name": model.name,
            "version": model.version,
            "id": model.id,
            "fine_tune_vm_sizes": model.fine_tune_vm_sizes or [],
            "inference_vm_sizes": model.inference_vm_sizes or [],
            "defaults": model.defaults,
        }


class AzureMLRegisterModelOperator(AzureMLOperator):
    """Register a completed job's output as an MLflow model, or find what this job registered before.

    Returns ``{"name": str, "version": str, "id": str, "studio_url": str}``.
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
        model_version: str | None = None,  # empty: one more than the highest number
        description: str = "",
        tags: Mapping[str, object] | None = None,  # lineage; job, Dag and run are added
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.output_name = output_name
        self.model_name = model_name
        self.model_version = model_version
        self.description = description
        self.tags = tags or {}

    def execute(self, context: Context) -> Result:
        """Register."""
        require_name("asset", self.model_name)
        version = optional(self.model_version)
        if version is not None:
            require_name("version", version)
        model = self.hook.models.register_output(
            self.job_name,
            self.output_name,
            self.model_name,
            version=version,
            description=masked(self.description),
            tags={**{key: masked(str(value)) for key, value in self.tags.items()}, **self.made_by(context)},
        )
        self.log.info("Registered model %s version %s, id %s", model.name, model.version, model.id)
        page = self.studio_url(f"/model/{model.name}:{model.version}/details")
        return {"name": model.name, "version": model.version, "id": model.id, STUDIO_KEY: page}
