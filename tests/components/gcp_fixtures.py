"""What Google Cloud's provider fills in, for the recording mocks; and stacks that use it."""

from __future__ import annotations

from typing import Any

from tests.conftest import stack_document

NUMBER = "123456789012"
AGENT = f"serviceAccount:service-{NUMBER}@gcp-sa-secretmanager.iam.gserviceaccount.com"

#: Cloud Storage's own account in the project.
STORAGE_AGENT = f"serviceAccount:service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"


def filled(type_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a resource that its inputs do not say."""
    match type_.rsplit(":", 1)[-1]:
        case "Account":
            email = f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"
            return {
                "email": email,
                "member": f"serviceAccount:{email}",
                "name": f"projects/{inputs['project']}/serviceAccounts/{email}",
            }
        case "IAMCustomRole":
            return {"name": f"projects/{inputs['project']}/roles/{inputs['roleId']}"}
        case "ServiceIdentity":
            return {"member": AGENT, "email": AGENT.removeprefix("serviceAccount:")}
        case "Secret":
            return {"name": f"projects/{NUMBER}/secrets/{inputs['secretId']}"}
        case "SecretVersion":
            return {"name": f"{inputs['secret']}/versions/1", "version": "1"}
        case _:
            return {}


def google(*, read_only: bool = True, **blocks: Any) -> dict[str, Any]:
    """The production example in one of the two modes, with some first-level keys changed."""
    document: dict[str, Any] = stack_document("example-google-secret-manager")
    document["deployment"]["namespace"] = "kestra"
    if not read_only:
        # In managed mode Kestra itself writes its secrets.
        document.pop("declared-secrets")
        block = {"project": "company-data-production", "prefix": "kestra-"}
        document["secret"] = {"type": "google-secret-manager", "google-secret-manager": block}
    return document | {key.replace("_", "-"): value for key, value in blocks.items()}
