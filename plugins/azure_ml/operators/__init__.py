"""Operators for Azure ML, grouped by Azure's nouns; ``from azure_ml import operators`` has them all."""

from __future__ import annotations

from azure_ml.operators.base import AzureMLOperator
from azure_ml.operators.compute import AzureMLGetOrCreateComputeOperator, AzureMLValidateComputeOperator
from azure_ml.operators.data import AzureMLRegisterDataOperator
from azure_ml.operators.deployments import AzureMLDeployModelOperator, AzureMLInvokeEndpointOperator
from azure_ml.operators.endpoints import (
    AzureMLCheckEndpointNameOperator,
    AzureMLCreateEndpointOperator,
    AzureMLDeleteEndpointOperator,
)
from azure_ml.operators.jobs.cancel import AzureMLCancelJobsOperator
from azure_ml.operators.jobs.metrics import AzureMLJobMetricsOperator
from azure_ml.operators.jobs.submit import AzureMLSubmitPipelineJobOperator
from azure_ml.operators.jobs.wait import AzureMLWaitForJobOperator
from azure_ml.operators.models import AzureMLGetRegistryModelOperator, AzureMLRegisterModelOperator
from azure_ml.operators.reaper import AzureMLReapOperator
from azure_ml.operators.workspace import AzureMLCheckWorkspaceOperator

__all__ = [
    "AzureMLCancelJobsOperator",
    "AzureMLCheckEndpointNameOperator",
    "AzureMLCheckWorkspaceOperator",
    "AzureMLCreateEndpointOperator",
    "AzureMLDeleteEndpointOperator",
    "AzureMLDeployModelOperator",
    "AzureMLGetOrCreateComputeOperator",
    "AzureMLGetRegistryModelOperator",
    "AzureMLInvokeEndpointOperator",
    "AzureMLJobMetricsOperator",
    "AzureMLOperator",
    "AzureMLReapOperator",
    "AzureMLRegisterDataOperator",
    "AzureMLRegisterModelOperator",
    "AzureMLSubmitPipelineJobOperator",
    "AzureMLValidateComputeOperator",
    "AzureMLWaitForJobOperator",
]
