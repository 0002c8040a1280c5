"""Faults of the local Azure ML that the tests of several folders arm."""

from __future__ import annotations

CRASHED = {
    "kind": "operation_failed",
    "resource": "onlineDeployments",
    "status": 400,
    "code": "ResourceNotReady",
    "message": "User container has crashed",
}
"""The fault of a deployment that does not come up."""

NO_ROOM = {"kind": "operation_failed", "resource": "onlineEndpoints", "status": 500, "message": "no room"}
"""The fault of an endpoint whose creation fails."""
