"""The table: every secret manager that settings may name, and Kestra without one; what holds for each and why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trustme import CA

from tests.conftest import stack_document
from tests.stores import conformance_outside_support as outsides
from tests.stores.conformance_life_support import CREDENTIAL, DECLARED, TAG
from tests.stores.conformance_outside_support import Outside

UP, AGAIN = "goes up", "a second up changes nothing"
UPDATE = "an update changes only what it says"
ADD, ROTATE, REMOVE = "a declared secret is added", "… rotated", "… removed"
DRIFT, FOREIGN_VALUE = "refresh sees changed tags", "… a value that others wrote"
NAMED = "… `python -m components drift` names it, and its commands bring the stack's value back"
DESTROY = "destroy leaves only what is protected or kept"
FACE = "the face of store and identity"
HIDDEN = "no value in clear in state, output and files"
BY_OTHERS = "an external secret: its value is never in the state"
OTHERS_KEY = "… an external encryption key"
CASES = (
    UP, AGAIN, UPDATE, ADD, ROTATE, REMOVE, DRIFT, FOREIGN_VALUE, NAMED, DESTROY, FACE, HIDDEN, BY_OTHERS, OTHERS_KEY,
)  # fmt: skip

KEY, KEY_ALONE = "generated-encryption-secret-key", frozenset({"generated-encryption-secret-key"})
RECOVERY = "the copy of the encryption key, to recover from"
READABLE = "without it the copy could not be read"


@dataclass(frozen=True)
class Row:
    """One backend."""

    name: str
    """`secret.type`, or what it is without one."""
    document: Callable[[Any], dict[str, Any]]
    """The settings, given the server."""
    shown: str
    """By what the cases are shown."""
    server: str | None = None
    """The fixture of its server."""
    outside: Callable[[Any, Path], Outside] = lambda server, folder: Outside()
    plugins: tuple[str, ...] = ()
    has_declared: bool = True
    """Whether the stack writes declared secrets."""
    refusal: str = ""
    """Where it does not: the rule that the settings' check cites."""
    not_here: Mapping[str, str] = field(default_factory=dict)
    """Case that cannot hold, to the reason."""
    protected: frozenset[str] = KEY_ALONE
    """Resources that a protected stack keeps when it is destroyed."""
    stays: Mapping[str, str] = field(default_factory=dict)
    """What is outside after everything was destroyed, to the reason."""
    public: frozenset[str] = frozenset()
    """What it provides to Kestra's environment and is no secret."""
    names_all: frozenset[str] = frozenset()
    """Resources that name every secret, so that one more or less changes them."""

    @property
    def is_outside(self) -> bool:
        """Whether anything is provisioned outside Kestra."""
        return bool(self.plugins)

    @property
    def is_open_source(self) -> bool:
        """Whether Kestra itself is told of no secret manager."""
        return self.name.startswith(("without", "open source"))

    @property
    def is_external(self) -> bool:
        """Whether it is a manager that is only named to Kestra."""
        return self.refusal == EXTERNAL


def _document(example: str, namespace: str, **changed: Any) -> dict[str, Any]:
    document: dict[str, Any] = deepcopy(stack_document(example))
    document["tags"]["environment"] = "staging"
    # The bucket of Kestra's files has a life of its own (tests/plugins/test_s3_engine.py).
    document.pop("storage-bucket", None)
    document |= {
        "declared-secrets": deepcopy(DECLARED),
        "deployment": {"namespace": namespace, "protect": True},
    }
    return document | changed


def _aws(kind: str, namespace: str) -> Callable[[Any], dict[str, Any]]:
    def build(_: Any) -> dict[str, Any]:
        document = _document(f"example-{kind}", namespace, store={"aws": {}})
        document["secret"][kind].pop("filter-on-tags")
        return document

    return build


def _google(_: Any) -> dict[str, Any]:
    document = _document("example-google-secret-manager", "conformance")
    document["secret"]["google-secret-manager"]["project"] = "sandbox"
    document["store"]["gcp"]["regions"] = ["europe-west1"]
    return document


def _vault(server: Any) -> dict[str, Any]:
    block = {"address": server.address, "root-engine": ENGINE, "app-role": {"path": ENGINE}}
    secret = {"type": "vault", "read-only": True, "vault": block}
    return _document("local-vault", ENGINE, secret=secret)


def _inside(kind: str, **block: Any) -> Callable[[Any], dict[str, Any]]:
    def build(_: Any) -> dict[str, Any]:
        secret = {"type": kind} | ({kind: block} if block else {})
        changed = {"version": "2.0", "edition": "enterprise", "secret": secret}
        document = _document("local", "conformance", **changed)
        del document["declared-secrets"]
        return document

    return build


ENGINE = "conformance-vault"
AWS_SHOWN = (
    "AWS API server (moto) + stand-in that calls it; EKS's association by its inputs; what policies allow is judged"
    " apart, in tests/stores/test_aws_access.py"
)
AWS_PROTECTED = KEY_ALONE | {"store-key", "store-encryption-key"}
INTERNAL = "only Kestra itself writes to its internal store"
EXTERNAL = "this project provisions nothing there: no Pulumi provider of its own writes to it"
NO_PLACE = "refused: its place is beside the secrets that the stack provisions"
NOTHING = "nothing is provisioned outside Kestra, so that nothing there can change"


def _without_declared(rule: str) -> dict[str, str]:
    refused = f"declared secrets are refused: {rule}"
    return {
        UPDATE: refused,
        ADD: refused,
        ROTATE: refused,
        REMOVE: refused,
        DRIFT: NOTHING,
        FOREIGN_VALUE: NOTHING,
        NAMED: NOTHING,
        BY_OTHERS: refused,
        OTHERS_KEY: NO_PLACE,
    }


def _external(kind: str, **block: Any) -> Row:
    return Row(
        kind,
        _inside(kind, **block),
        "settings only; all six in one stack, one after the other",
        has_declared=False,
        refusal=EXTERNAL,
        not_here=_without_declared(EXTERNAL),
    )


def _internal(kind: str) -> Row:
    return Row(
        kind,
        _inside(kind),
        "settings and generated key; Kestra's own store is Kestra's",
        has_declared=False,
        refusal=INTERNAL,
        not_here=_without_declared(INTERNAL),
        protected=KEY_ALONE | {f"generated-secret-{kind}-secret"},
    )


def _open_source(example: str, namespace: str, **block: Any) -> Callable[[Any], dict[str, Any]]:
    def build(server: Any) -> dict[str, Any]:
        document = _document(f"example-oss-{example}", namespace)
        store = document["store"]
        store[example] = store[example] | block
        if example == "vault":
            store[example]["address"] = server.address
            # This Vault runs in no pod, whose authority it would read.
            certificate = CA().cert_pem.bytes().decode()
            document["identity"] = {"vault": {"kubernetes-ca-certificate": certificate}}
        return document

    return build


def _parameters(_: Any) -> dict[str, Any]:
    document = _document("example-oss-aws", "conformance-oss-parameters")
    document["store"] = {
        "type": "aws-ssm-parameter-store",
        "aws": {"region": "eu-west-1", "prefix": "oss-parameters-"},
    }
    return document


OPEN_SOURCE = "open source with"
OPERATOR = "; what the operator makes of it in tests/components/test_external_secrets.py"
OSS_ENGINE = "conformance-oss"


def _with_open_source(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows, and those of open source with the same secret managers: the same store, another reader."""
    by_name = {row.name: row for row in rows}

    def row(name: str, **changed: Any) -> Row:
        base = by_name[name]
        shown = base.shown + OPERATOR
        return replace(base, name=f"{OPEN_SOURCE} {name}", shown=shown, **changed)

    aws, vault = frozenset({"identity-policy"}), frozenset({"store-policy"})
    return (
        *rows,
        row(
            "aws-secret-manager",
            document=_open_source("aws", "conformance-oss-secrets", replicas=[], kms={}),
            outside=lambda server, _: outsides.SecretsManager(server, "conformance-oss-secrets"),
            stays={
                "secret stack-conformance-oss-secrets/encryption-key": RECOVERY,
                "KMS key": READABLE,
            },
            names_all=aws,
        ),
        row(
            "aws-ssm-parameter-store",
            document=_parameters,
            outside=lambda server, _: outsides.ParameterStore(server, "conformance-oss-parameters"),
            stays={
                "parameter stack-conformance-oss-parameters-encryption-key": RECOVERY,
                "KMS key": READABLE,
            },
            names_all=aws,
        ),
        row(
            "azure-key-vault",
            document=_open_source("azure", "conformance", **{"vault-name": "example-kestra-prod"}),
        ),
        row(
            "google-secret-manager",
            document=_open_source(
                "gcp", "conformance", project="sandbox", regions=["europe-west1"]
            ),
            server="second_google_server",
        ),
        row(
            "vault",
            document=_open_source(
                "vault", OSS_ENGINE, mount=OSS_ENGINE, **{"auth-path": OSS_ENGINE}
            ),
            outside=lambda server, _: outsides.KeyValue(server, OSS_ENGINE),
            stays={f"engine {OSS_ENGINE}-stack/": "holds the copy", "secret encryption": RECOVERY},
            names_all=vault,
        ),
    )


_ROWS = (
    Row(
        "aws-secret-manager",
        _aws("aws-secret-manager", "conformance-secrets"),
        AWS_SHOWN,
        "aws_server",
        lambda server, _: outsides.SecretsManager(server, "conformance-secrets"),
        ("aws",),
        not_here={NAMED: "the provider sees it, and `pulumi up --refresh` ends it"},
        protected=AWS_PROTECTED,
        stays={"secret stack-conformance-secrets/encryption-key": RECOVERY, "KMS key": READABLE},
    ),
    Row(
        "aws-ssm-parameter-store",
        _aws("aws-ssm-parameter-store", "conformance-parameters"),
        AWS_SHOWN,
        "aws_server",
        lambda server, _: outsides.ParameterStore(server, "conformance-parameters"),
        ("aws",),
        not_here={NAMED: "the provider sees it, and `pulumi up --refresh` ends it"},
        protected=AWS_PROTECTED,
        stays={
            "parameter stack-conformance-parameters-encryption-key": RECOVERY,
            "KMS key": READABLE,
        },
    ),
    Row(
        "azure-key-vault",
        lambda _: _document("example-azure-key-vault", "conformance"),
        "inputs only: Azure has no server on one machine; values as the program gave them, the rest as recorded",
        outside=lambda _, folder: outsides.KeyVault(folder / "azure.json"),
        plugins=("azure-native",),
        not_here={
            FOREIGN_VALUE: "Resource Manager never gives a value back, so that refresh cannot see one that others wrote",
            NAMED: "Azure has no server on one machine: question and commands are tested by what they say only",
        },
        protected=KEY_ALONE | {"store-vault", "store-recovery-vault", "store-encryption-key"},
        stays={
            "vaults/example-kestra-prod-rec": READABLE,
            "vaults/example-kestra-prod-rec/secrets/stack-conformance-encryption-key": RECOVERY,
            "vaults/example-kestra-prod-rec/providers/microsoft.insights/diagnosticsettings/kestra-audit": "reading the copy stays an event",
        },
        public=frozenset({"secret.azure-key-vault.workload-identity-client-id"}),
    ),
    Row(
        "google-secret-manager",
        _google,
        "Secret Manager API server (drongo) + stand-in that calls it; keys, accounts and grants by their inputs",
        "google_server",
        lambda server, _: outsides.SecretManager(server),
        ("gcp",),
        not_here={
            FOREIGN_VALUE: "a value that others write is a version of its own, and the stack's version is as it was; it is in"
            " force until the next rotation"
        },
        protected=KEY_ALONE
        | {"store-agent", "store-encryption-key", "store-encryption-key-version"}
        | {f"store-{what}-europe-west1" for what in ("key-ring", "key", "key-grant")}
        | {
            f"store-service-{api}" for api in ("secretmanager", "cloudkms", "iam", "iamcredentials")
        },
        stays={
            "secret stack-conformance-encryption-key": RECOVERY,
            "key ring in europe-west1": "Google Cloud deletes none",
            "KMS key in europe-west1": READABLE,
            "key's grant in europe-west1": READABLE,
            "service agent": "Google's own account of Secret Manager; it cannot be deleted",
            **{
                f"API {api}": "others in the project may use it"
                for api in ("secretmanager", "cloudkms", "iam", "iamcredentials")
            },
        },
    ),
    Row(
        "vault",
        _vault,
        "a real Vault; stand-in of the provider that calls it",
        "vault_server",
        lambda server, _: outsides.KeyValue(server, ENGINE),
        ("vault",),
        not_here={
            FOREIGN_VALUE: "the provider does not read a value back (since terraform-provider-vault 5.0.0): one that others"
            " wrote stays in force, and a deleted version stays deleted, also with refresh"
        },
        protected=KEY_ALONE | {"store-engine", "store-stack-engine", "store-encryption-key"},
        stays={f"engine {ENGINE}-stack/": "holds the copy", "secret encryption": RECOVERY},
    ),
    _internal("jdbc"),
    _internal("elasticsearch"),
    Row(
        "without a manager (open source)",
        lambda _: _document("local", "conformance"),
        "settings and generated values; the Kubernetes Secret in tests/sandbox/test_main_job.py",
        not_here={
            UPDATE: f"`SECRET_<NAME>` has no tags: a change of `{TAG}` changes nothing",
            ROTATE: "the value is in the stack's one Kubernetes Secret, whose name changes with its content; the store has"
            " no versions",
            DRIFT: NOTHING,
            FOREIGN_VALUE: NOTHING,
            NAMED: NOTHING,
            BY_OTHERS: "refused: without one Kestra reads SECRET_<NAME> from a Secret that this stack writes",
            OTHERS_KEY: NO_PLACE,
        },
    ),
    _external(
        "cyberark",
        address="https://cyberark.example.com",
        username="kestra",
        password=CREDENTIAL,
        **{"platform-id": "p", "safe-name": "s"},
    ),
    _external("doppler", token=CREDENTIAL, project="kestra", config="production"),
    _external(
        "1password",
        address="https://connect.example.com",
        token=CREDENTIAL,
        **{"vault-id": "v"},
    ),
    _external(
        "beyondtrust",
        address="https://beyondtrust.example.com",
        **{"api-key": CREDENTIAL, "run-as": "kestra"},
    ),
    _external(
        "delinea",
        address="https://delinea.example.com",
        username="kestra",
        password=CREDENTIAL,
        **{"folder-id": 1, "secret-template-id": 1},
    ),
    _external("bitwarden", **{"access-token": CREDENTIAL, "organization-id": "o"}),
)
ROWS = _with_open_source(_ROWS)
