"""The hook: the only package here that imports ``azure.*``, and only inside its methods."""

from __future__ import annotations

from azure_ml.hook.hook import AzureMLHook

__all__ = ["AzureMLHook"]
