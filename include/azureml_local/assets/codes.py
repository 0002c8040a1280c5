"""Code assets: folders of code that jobs and deployments bring along."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets import routes, rules
from azureml_local.locator import ServiceDep
from azureml_local.routing import ScopeDep, authorized_router
from azureml_local.settings import STORAGE_ACCOUNT
from azureml_local.storage import files

if TYPE_CHECKING:
    from azureml_local.service import Service

router = authorized_router(f"{grammar.WORKSPACE_PATH}/codes")


def complete(local: Service, name: str, version: str, given: Json) -> Json:
    """The stored properties of a code version.

    Raises:
        ArmError: 400 without an address.
    """
    if not given.get("codeUri"):
        raise ArmError(400, "UserError", f"Code {name}:{version} has no codeUri.", target="codeUri")
    return {**rules.base(given), "codeUri": given["codeUri"]}


def pending_upload(local: Service, scope_id: str) -> Json:
    """A fresh container and the SAS to fill it, as the contract's ``PendingUploadResponseDto``."""
    container = str(uuid.uuid4())
    files.blob_path(local, container).mkdir(parents=True)
    account = (
        f"{scope_id.split('/providers/')[0]}/providers/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}"
    )
    return {
        "pendingUploadId": str(uuid.uuid4()),
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": {
            "blobUri": files.blob_url(local, container),
            "storageAccountArmId": account,
            "credential": {
                "credentialType": "SAS",
                "sasUri": files.sas_url(local, container, permissions="racwl"),
            },
        },
    }


@router.post("/{name}/versions/{version}/startPendingUpload")
async def start_pending_upload(name: str, version: str, scope: ScopeDep, local: ServiceDep) -> Json:
    """Where to upload the folder of a code version that is about to be made."""
    rules.check_name("Code", name, version)
    return pending_upload(local, scope.id)


NOUN = rules.Noun("codes", "Code", ("codeUri",), complete)
routes.serve(router, NOUN)
