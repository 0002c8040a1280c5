"""JSON objects that Airflow stores: results, events, saved states, arguments of triggers."""

from __future__ import annotations

from typing import Any, TypeAlias

Payload: TypeAlias = dict[str, Any]
