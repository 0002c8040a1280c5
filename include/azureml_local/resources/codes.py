"""Code assets: folders of code that jobs and deployments bring along."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from include.azureml_local import arm, asset_routes, assets, blobs
from include.azureml_local.arm import ArmError, Json
from include.azureml_local.local import LocalDep, ScopeDep, authorized_router
from include.azureml_local.settings import STORAGE_ACCOUNT

if TYPE_CHECKING:
    from include.azureml_local.local import Local

router = authorized_router(f"{arm.WORKSPACE_PATH}/codes")


def complete(local: Local, name: str, version: str, given: Json) -> Json:
    """The stored properties of a code version.

    Raises:
        ArmError: 400 without an address.
    """
    if not given.get("codeUri"):
        raise ArmError(400, "UserError", f"Code {name}:{version} has no codeUri.", target="codeUri")
    return {**assets.base(given), "codeUri": given["codeUri"]}


def pending_upload(local: Local, scope_id: str) -> Json:
    """A fresh container and the SAS to fill it, as the contract's ``PendingUploadResponseDto``."""
    container = str(uuid.uuid4())
    blobs.blob_path(local, container).mkdir(parents=True)
    account = (
        f"{scope_id.split('/providers/')[0]}/providers/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}"
    )
    return {
        "pendingUploadId": str(uuid.uuid4()),
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": {
            "blobUri": blobs.blob_url(local, container),
            "storageAccountArmId": account,
            "credential": {
                "credentialType": "SAS",
                "sasUri": blobs.sas_url(local, container, permissions="racwl"),
            },
        },
    }


@router.post("/{name}/versions/{version}/startPendingUpload")
async def start_pending_upload(name: str, version: str, scope: ScopeDep, local: LocalDep) -> Json:
    """Where to upload the folder of a code version that is about to be made."""
    assets.check_name("Code", name, version)
    return pending_upload(local, scope.id)


NOUN = assets.Noun("codes", "Code", ("codeUri",), complete)
asset_routes.serve(router, NOUN)
