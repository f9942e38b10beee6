"""Identity: who Kestra is in a cloud, and the least that it may do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.documents import IDENTITY_POLICIES, Statement, identity_statements, statements
from ..core.model import Context, Finding, Problem, Resource, Stack, cis, control, fsbp
from ..core.values import as_list, check_each, reveal

_IDENTITY = "kestra:identity"
ROLE = "aws:iam/role:Role"
_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_PROJECT = (
    "gcp:projects/iAMMember:IAMMember",
    "gcp:projects/iAMBinding:IAMBinding",
)
_GCP_GRANTS = (
    *_PROJECT,
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "gcp:serviceaccount/iAMMember:IAMMember",
)
_FEDERATED = "azure-native:managedidentity:FederatedIdentityCredential"
_AZURE_ROLE = "azure-native:authorization:RoleAssignment"
#: Roles of Azure for which a whole vault's data or a whole scope is in reach: their well-known ids.
_AZURE_POWERFUL = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
}


@control(
    "ks-identity-01",
    "No policy allows everything",
    "critical",
    risk="A policy with every action on every resource makes any bug of Kestra the whole account's.",
    steps=("List the actions and the resources.", "Use no AdministratorAccess."),
    setting=_IDENTITY,
    types=(*IDENTITY_POLICIES, _ATTACHMENT),
    frameworks=(
        *cis(
            "AWS",
            v1_2="1.22",
            v1_3="1.16",
            v2_0="1.16",
            v3_0="1.16",
            v4_0="1.16",
            v5_0="1.15",
            v6_0="2.15",
        ),
        *fsbp("IAM.1"),
    ),
)
def not_everything(resource: Resource, _: Context) -> Iterator[Finding]:
    if resource.type == _ATTACHMENT:
        if str(resource.get_path("policyArn")).endswith("/AdministratorAccess"):
            yield Problem("attaches AdministratorAccess", "a policy of its own", "policyArn")
        return
    for path, statement in identity_statements(resource):
        if "*" in statement.actions and "*" in statement.resources:
            yield Problem("allows * on *", "the actions and resources that it needs", path)


#: AWS knows no resource for these.
_ABOUT_NO_SECRET = (
    "secretsmanager:listsecrets",
    "secretsmanager:getrandompassword",
    "ssm:describeparameters",
)
_GUARDED = re.compile(r"(secretsmanager|kms|ssm):(\*|\w+\*|\w+)")


def _too_wide(statement: Statement) -> Iterator[str]:
    for action in statement.actions:
        if action in ("secretsmanager:*", "kms:*", "ssm:*"):
            yield action
        elif action in _ABOUT_NO_SECRET:
            continue
        elif _GUARDED.fullmatch(action) and "*" in statement.resources and not statement.condition:
            yield f"{action} on *"


@control(
    "ks-identity-02",
    "Secrets and keys are given by name",
    "high",
    risk="A role that may read every secret reads those of every other application too.",
    steps=(
        "Limit Resource to the secrets' prefix and the one key.",
        "Use secretAccessor and Key Vault Secrets User, not administrator roles.",
    ),
    setting="kestra:secret.read-only and kestra:secret.<store>.prefix",
    types=(*IDENTITY_POLICIES, *_GCP_GRANTS, _AZURE_ROLE),
    frameworks=fsbp("KMS.1", "KMS.2"),
)
def secrets_by_name(resource: Resource, _: Context) -> Iterator[Finding]:
    if resource.type in IDENTITY_POLICIES:
        for path, statement in identity_statements(resource):
            for wide in _too_wide(statement):
                yield Problem(f"allows {wide}", "actions by name on named resources", path)
    elif resource.type == _AZURE_ROLE:
        id_ = str(resource.get_path("roleDefinitionId")).rsplit("/", 1)[-1].lower()
        if id_ in _AZURE_POWERFUL:
            expected = "Key Vault Secrets User or Secrets Officer"
            yield Problem(f"gives {_AZURE_POWERFUL[id_]}", expected, "roleDefinitionId")
    elif resource.get_path("role") in ("roles/secretmanager.admin", "roles/cloudkms.admin"):
        expected = "roles/secretmanager.secretAccessor"
        yield Problem(f"gives {resource.get_path('role')}", expected, "role")


def _web_identity(statement: Statement) -> bool:
    return "sts:assumerolewithwebidentity" in statement.actions


@control(
    "ks-identity-03",
    "A role for a service account is for that account only",
    "critical",
    risk="A trust policy without sub and aud lets any pod of the cluster be Kestra.",
    steps=(
        "Give StringEquals conditions on <issuer>:sub (system:serviceaccount:<namespace>:<name>) and <issuer>:aud.",
    ),
    setting="kestra:identity.service-account and kestra:deployment.namespace",
    types=(ROLE,),
)
def exact_trust(role: Resource, _: Context) -> Iterator[Finding]:
    path = "assumeRolePolicy"
    for statement in statements(role, path):
        if not statement.allows:
            continue
        if statement.is_public and not statement.condition:
            yield Problem("trusts every principal", "named principals", path)
        if not _web_identity(statement):
            continue
        exact = {k for o, e in statement.condition.items() if o == "StringEquals" for k in e}
        for claim in ("sub", "aud"):
            if not any(k.endswith(f":{claim}") for k in exact):
                yield Problem(f"does not check {claim}", f"StringEquals on :{claim}", path)
        values = [
            str(v) for e in statement.condition.values() for x in e.values() for v in as_list(x)
        ]
        if any("*" in value for value in values):
            yield Problem("trusts a pattern", "the account's exact name", path)


@control(
    "ks-identity-04",
    "No basic role of Google Cloud",
    "high",
    risk="Owner and editor are everything in the project, whatever was meant.",
    steps=("Use a role for what is needed.",),
    setting=_IDENTITY,
    types=_GCP_GRANTS,
    frameworks=cis("Google Cloud", v4_0="1.5"),
)
def no_basic_role(grant: Resource, _: Context) -> Iterator[Finding]:
    if grant.get_path("role") in ("roles/owner", "roles/editor"):
        yield Problem(f"gives {grant.get_path('role')}", "a role for what is needed", "role")


@control(
    "ks-identity-05",
    "Nobody may be any service account of the project",
    "high",
    risk="Token creator on a project is the power of its strongest service account.",
    steps=("Grant it on the one service account.",),
    setting=_IDENTITY,
    types=_PROJECT,
    frameworks=cis("Google Cloud", v4_0="1.6"),
)
def not_any_account(grant: Resource, _: Context) -> Iterator[Finding]:
    if grant.get_path("role") in (
        "roles/iam.serviceAccountTokenCreator",
        "roles/iam.serviceAccountUser",
    ):
        actual = f"gives {grant.get_path('role')} on the project"
        yield Problem(actual, "the role on one service account", "role")


@control(
    "ks-identity-06",
    "A federated credential is for one service account",
    "critical",
    risk="A subject with a wildcard, or of another kind, lets other pods be Kestra in Azure.",
    steps=("Set subject to system:serviceaccount:<namespace>:<name>.",),
    setting="kestra:identity.service-account and kestra:deployment.namespace",
    types=(_FEDERATED,),
)
def one_subject(credential: Resource, _: Context) -> Iterator[Finding]:
    subject = str(credential.get_path("subject") or "")
    if not re.fullmatch(r"system:serviceaccount:[a-z0-9.-]+:[a-z0-9.-]+", subject):
        expected = "system:serviceaccount:<namespace>:<name>"
        yield Problem(f"has subject {subject or 'none'}", expected, "subject")
    if not str(credential.get_path("issuer") or "").startswith("https://"):
        yield Problem("has no issuer with https", "the cluster's OIDC issuer", "issuer")


@control(
    "ks-identity-07",
    "Roles are given where they are needed",
    "medium",
    risk="A role on a subscription or project reaches every store that is there, now and later.",
    steps=("Assign it on the vault, the secret or the key.",),
    setting=_IDENTITY,
    types=(_AZURE_ROLE, *_PROJECT),
)
def narrow_scope(grant: Resource, _: Context) -> Iterator[Finding]:
    if grant.type == _AZURE_ROLE:
        scope = str(grant.get_path("scope") or "")
        if "/providers/microsoft." not in scope.lower().replace(
            "/providers/microsoft.management", ""
        ):
            kind = "a resource group" if "/resourcegroups/" in scope.lower() else "a subscription"
            yield Problem(f"is on {kind}", "the resource's id", "scope")
    elif str(grant.get_path("role")).startswith(("roles/secretmanager.", "roles/cloudkms.")):
        yield Problem(
            f"gives {grant.get_path('role')} on the project", "the role on the secret", "role"
        )


_OTHER_TRUST = re.compile(r"Service:(lambda|ec2|codebuild)\.|AWS:")


@control(
    "ks-identity-08",
    "Kestra is neither who deploys nor who rotates",
    "high",
    risk="A workflow engine that has its deployer's rights can change its own rules.",
    steps=(
        "Use a role of its own for Kestra, for the rotation and for the deployment.",
        "Name the deployers in the configuration of the pack.",
    ),
    setting="kestra:identity and deployers of the pack's configuration",
)
def own_principal(stack: Stack, context: Context) -> Iterator[Finding]:
    def judge(role: Resource) -> Iterator[Finding]:
        trusts = [s for s in statements(role, "assumeRolePolicy") if s.allows]
        if not any(map(_web_identity, trusts)):
            return
        others = [p for s in trusts for p in s.principals if _OTHER_TRUST.match(p)]
        for other in others:
            yield Problem(
                f"is Kestra's and {other}'s", "a role of its own", "assumeRolePolicy", role
            )
        names = {role.name, reveal(role.props.get("name")), reveal(role.props.get("arn"))}
        if names & set(context.options.deployers):
            yield Problem("is Kestra's and a deployer's", "a role of its own", "the role", role)
        for function in stack.of("aws:lambda/function:Function"):
            if function.refers_to(role, "role"):
                yield Problem(f"is also {function.name}'s", "a role of its own", "the role", role)

    yield from check_each(stack.of(ROLE), judge)


@control(
    "ks-identity-09",
    "No long-lived access keys",
    "critical",
    risk="A key that works from anywhere and never ends is what leaks are made of.",
    steps=(
        "Use IRSA or Pod Identity, AKS workload identity, GKE Workload Identity.",
        "Where nothing else works, exempt it with an owner and an end.",
    ),
    setting="kestra:identity (workload identity is the default)",
    types=(
        "aws:iam/accessKey:AccessKey",
        "azuread:index/applicationPassword:ApplicationPassword",
        "azuread:index/servicePrincipalPassword:ServicePrincipalPassword",
        "gcp:serviceaccount/key:Key",
    ),
    frameworks=cis("Google Cloud", v4_0="1.4"),
)
def no_access_key(key: Resource, _: Context) -> Iterator[Finding]:
    # A key that is switched off, as while it is being replaced, opens nothing.
    if key.get_path("status") != "Inactive":
        yield Problem("is a long-lived key", "workload identity", "the resource: remove it")
