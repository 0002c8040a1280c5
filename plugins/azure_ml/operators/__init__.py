"""Operators for Azure ML, grouped by Azure's nouns; ``from azure_ml import operators`` has them all."""

from __future__ import annotations

from azure_ml.operators.base import AzureMLCheckWorkspaceOperator, AzureMLOperator
from azure_ml.operators.compute import AzureMLCheckComputeOperator, AzureMLGetOrCreateComputeOperator
from azure_ml.operators.data import AzureMLRegisterDataOperator
from azure_ml.operators.deployments import AzureMLDeployModelOperator
from azure_ml.operators.endpoints import (
    AzureMLCreateEndpointOperator,
    AzureMLDeleteEndpointOperator,
    AzureMLReserveEndpointOperator,
)
from azure_ml.operators.jobs import (
    AzureMLJobMetricsOperator,
    AzureMLSubmitPipelineJobOperator,
)
from azure_ml.operators.models import AzureMLGetRegistryModelOperator, AzureMLRegisterModelOperator
from azure_ml.operators.ownership import AzureMLCancelJobsOperator
from azure_ml.operators.reaper import AzureMLReapOperator
from azure_ml.operators.scoring import AzureMLScoreEndpointOperator
from azure_ml.operators.wait import AzureMLWaitForJobOperator

__all__ = [
    "AzureMLCancelJobsOperator",
    "AzureMLCheckComputeOperator",
    "AzureMLCheckWorkspaceOperator",
    "AzureMLCreateEndpointOperator",
    "AzureMLDeleteEndpointOperator",
    "AzureMLDeployModelOperator",
    "AzureMLGetOrCreateComputeOperator",
    "AzureMLGetRegistryModelOperator",
    "AzureMLJobMetricsOperator",
    "AzureMLOperator",
    "AzureMLReapOperator",
    "AzureMLRegisterDataOperator",
    "AzureMLRegisterModelOperator",
    "AzureMLReserveEndpointOperator",
    "AzureMLScoreEndpointOperator",
    "AzureMLSubmitPipelineJobOperator",
    "AzureMLWaitForJobOperator",
]
