"""Documents with one fault each: name, what is changed in a valid document, the path that the report names, and words of the report."""

from __future__ import annotations

import base64
from typing import Any

PLANTED = "Pl4nted-Value-Zq81"

SEED_AUTH = {"username": "admin@kestra.io"}
VAULT = {
    "type": "vault",
    "read-only": True,
    "vault": {"address": "https://v:8200", "kubernetes": {}},
}
KEY = base64.b64encode(bytes(range(32))).decode()


def oss(**changed: Any) -> dict[str, Any]:
    """A valid open-source document with some first-level keys changed."""
    base: dict[str, Any] = {"server": {"basic-auth": dict(SEED_AUTH)}}
    return base | {key.replace("_", "-"): value for key, value in changed.items()}


LICENCE = {"license": {"id": "license-1", "key": "${LICENSE_KEY:}"}}


def enterprise(**changed: Any) -> dict[str, Any]:
    """A valid Enterprise document with some first-level keys changed."""
    base: dict[str, Any] = {"edition": "enterprise", "secret": VAULT, "ee": LICENCE}
    return base | {key.replace("_", "-"): value for key, value in changed.items()}


def server(**changed: Any) -> dict[str, Any]:
    return oss(
        server={"basic-auth": dict(SEED_AUTH)}
        | {k.replace("_", "-"): v for k, v in changed.items()}
    )


def liveness(**changed: Any) -> dict[str, Any]:
    return server(liveness={k.replace("_", "-"): v for k, v in changed.items()})


def auth(**changed: Any) -> dict[str, Any]:
    return oss(
        server={"basic-auth": SEED_AUTH | {k.replace("_", "-"): v for k, v in changed.items()}}
    )


def secret(type_: str, block: Any = None, **changed: Any) -> dict[str, Any]:
    manager = {"type": type_} | {k.replace("_", "-"): v for k, v in changed.items()}
    return enterprise(secret=manager if block is None else manager | {type_: block})


POOL = "company.svc.id.goog"
KEY_NAME = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"


def google(
    block: dict[str, Any] | None = None, *, read_only: bool = True, **changed: Any
) -> dict[str, Any]:
    """A valid stack on Google Secret Manager with a store and an identity, some keys changed or, with None, gone."""
    settings = {"project": "company"} | (block or {})
    settings = {key: value for key, value in settings.items() if value is not None}
    base = {"store": {"gcp": {}}, "identity": {"gcp": {"workload-pool": POOL}}}
    return (
        secret("google-secret-manager", settings, read_only=read_only)
        | base
        | {key.replace("_", "-"): value for key, value in changed.items()}
    )


def aliased(aliases: dict[str, int]) -> dict[str, Any]:
    return {"A": {"namespace": "a", "generate": {}, "version-aliases": aliases}}


OIDC = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
LAMBDA = "arn:aws:lambda:eu-west-1:111122223333:function:rotate"


def aws(**changed: Any) -> dict[str, Any]:
    """A valid document of AWS Secrets Manager with some keys of `store.aws` changed."""
    base = secret("aws-secret-manager", {"region": "eu-west-1"}, read_only=True)
    return base | {"store": {"aws": {k.replace("_", "-"): v for k, v in changed.items()}}}


def aws_identity(**changed: Any) -> dict[str, Any]:
    return aws() | {"identity": {"aws": {k.replace("_", "-"): v for k, v in changed.items()}}}


def ssm(block: Any = None, *, read_only: bool = False, **changed: Any) -> dict[str, Any]:
    """A valid document of Parameter Store with some first-level keys changed."""
    base = secret("aws-ssm-parameter-store", block or {}, read_only=read_only) | {"version": "2.0"}
    return base | {k.replace("_", "-"): v for k, v in changed.items()}


AWS_ALSO = {
    "type": "aws-secret-manager",
    "read-only": True,
    "aws-secret-manager": {"region": "eu-west-1"},
}


def moving(also: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A stack on Vault with one declared secret and a second secret manager, some first-level keys changed."""
    base = enterprise(
        store={"aws": {}}, declared_secrets={"A": {"namespace": "a", "generate": {}}}
    ) | {key.replace("_", "-"): value for key, value in changed.items()}
    return base | {"store": base["store"] | {"also": also}}


def vault(**changed: Any) -> dict[str, Any]:
    block = {"address": "https://v:8200"} | {k.replace("_", "-"): v for k, v in changed.items()}
    return secret("vault", block, read_only=True)


def azure(
    store: Any = None, block: Any = None, identity: Any = None, **changed: Any
) -> dict[str, Any]:
    """A Key Vault that the stack provisions, with one declared secret, and some changes."""
    manager = {"vault-name": "example"} if block is None else block
    base = secret("azure-key-vault", manager, read_only=True) | {
        "store": {"azure": {"resource-group": "r"} | (store or {})},
        "identity": {"azure": {"oidc-issuer-url": "https://issuer"} | (identity or {})},
        "declared-secrets": {"TOKEN": {"namespace": "a.b", "generate": {}}},
    }
    return base | {key.replace("_", "-"): value for key, value in changed.items()}


def azure_secret(**changed: Any) -> dict[str, Any]:
    entry = {"namespace": "a.b", "generate": {}} | {
        k.replace("_", "-"): v for k, v in changed.items()
    }
    return azure(declared_secrets={"TOKEN": entry})


def declared(**changed: Any) -> dict[str, Any]:
    return oss(declared_secrets={"TOKEN": {"namespace": "a.b", "generate": {}} | changed})


def deployment(**changed: Any) -> dict[str, Any]:
    return oss(deployment={k.replace("_", "-"): v for k, v in changed.items()})


def role(permissions: Any, version: str = "1.3") -> dict[str, Any]:
    return enterprise(
        version=version, security={"default-role": {"name": "r", "permissions": permissions}}
    )


Case = tuple[str, dict[str, Any], str, str]

# What Kestra would silently replace by its default (measured), and a few more.
_BAD_DURATIONS = [
    "60", 60, "5 s", "0.5s", "1M", "30S", "1m30s", "banana", "", "s", "-5s", "PT", "P", "pt5s", "5sec",
    "1.5m", "1e3s", "5s5s", "P1W", "P1Y", "PT5", "5m ", " 5m", "٥s", True, None, [], {}, ["5s"],
]  # fmt: skip

CASES: list[Case] = [
    # versions and editions
    ("version unknown", oss(version="1.2"), "kestra:version", "1.3"),
    ("version word", oss(version="latest"), "kestra:version", "2.0"),
    ("edition unknown", oss(edition="community"), "kestra:edition", "oss"),
    ("edition upper case", oss(edition="OSS"), "kestra:edition", "spelled exactly so"),
    ("first-level typo", oss(sever={}, servr={"a": 1}), "kestra:servr", "did you mean server"),
    ("whole file pasted", oss(kestra={"server": {}}), "kestra:kestra", "leave out this level"),
    ("micronaut", oss(micronaut={"a": 1}), "kestra:micronaut.a", "is no known key"),
    # encryption
    ("key of 16 bytes", oss(encryption={"secret-key": base64.b64encode(b"x" * 16).decode()}), "kestra:encryption.secret-key", "decodes to 16 bytes"),
    ("key of 24 bytes", oss(encryption={"secret-key": base64.b64encode(b"x" * 24).decode()}), "kestra:encryption.secret-key", "decodes to 24 bytes"),
    ("key of 31 bytes", oss(encryption={"secret-key": base64.b64encode(b"x" * 31).decode()}), "kestra:encryption.secret-key", "decodes to 31 bytes"),
    ("key of 33 bytes", oss(encryption={"secret-key": base64.b64encode(b"x" * 33).decode()}), "kestra:encryption.secret-key", "decodes to 33 bytes"),
    ("key as raw text", oss(encryption={"secret-key": "abcdefghijklmnopqrstuvwxyz012345"}), "kestra:encryption.secret-key", "decodes to 24 bytes"),
    ("key url-safe", oss(encryption={"secret-key": base64.urlsafe_b64encode(b"\xff" * 32).decode()}), "kestra:encryption.secret-key", "no standard base64"),
    ("key with line break", oss(encryption={"secret-key": KEY[:20] + "\n" + KEY[20:]}), "kestra:encryption.secret-key", "no standard base64"),
    ("key empty", oss(encryption={"secret-key": ""}), "kestra:encryption.secret-key", "0 bytes"),
    ("key a number", oss(encryption={"secret-key": 1234}), "kestra:encryption.secret-key", "text"),
    ("key in camelCase", oss(encryption={"secretKey": "short"}), "kestra:encryption.secretKey", "openssl rand"),
    ("key typo", oss(encryption={"secret-kye": KEY}), "kestra:encryption.secret-kye", "did you mean secret-key"),
    ("encryption a text", oss(encryption="x"), "kestra:encryption", "block of keys"),
    # log-in
    ("no log-in", {"tags": {"owner": "a"}}, "kestra:server.basic-auth", "set-up page"),
    ("seed's password", auth(password="change-me"), "kestra:server.basic-auth.password", "an upper-case letter, a digit"),
    ("password short", auth(password="Ab1"), "kestra:server.basic-auth.password", "8 characters at least"),
    ("password long", auth(password="Ab1" * 100), "kestra:server.basic-auth.password", "too long"),
    ("password empty", auth(password=""), "kestra:server.basic-auth.password", "8 characters"),
    ("password with line break", auth(password="Abcdef12\nx"), "kestra:server.basic-auth.password", "no line break"),
    ("password a number", auth(password=12345678), "kestra:server.basic-auth.password", "text"),
    ("username no e-mail", auth(username="admin"), "kestra:server.basic-auth.username", "e-mail"),
    ("username long", auth(username="a" * 300 + "@b"), "kestra:server.basic-auth.username", "256"),
    ("username missing", oss(server={"basic-auth": {"password": "Abcdef12"}}), "kestra:server.basic-auth.username", "is missing"),
    ("email for username", oss(server={"basic-auth": {"email": "a@b"}}), "kestra:server.basic-auth.email", "no known key"),
    ("camelCase path", oss(server={"basicAuth": {"username": "x"}}), "kestra:server.basicAuth.username", "e-mail"),
    ("both spellings", oss(server={"basicAuth": SEED_AUTH, "basic-auth": SEED_AUTH}), "kestra:server.basicAuth", "written twice"),
    ("open-urls root", auth(open_urls=["/"]), "kestra:server.basic-auth.open-urls[0]", "opens everything"),
    ("open-urls no path", auth(open_urls=["/a", "api"]), "kestra:server.basic-auth.open-urls[1]", "begins"[:5]),
    ("open-urls a text", auth(open_urls="/a"), "kestra:server.basic-auth.open-urls", "list"),
    ("enabled no flag", auth(enabled="maybe"), "kestra:server.basic-auth.enabled", "true or false"),
    # endpoints
    ("endpoint log-in without name", oss(endpoints={"all": {"basic-auth": {"password": "x"}}}), "kestra:endpoints.all.basic-auth.username", "is missing"),
    ("endpoint name with colon", oss(endpoints={"all": {"basic-auth": {"username": "a:b"}}}), "kestra:endpoints.all.basic-auth.username", "colon"),
    ("endpoint port", oss(endpoints={"all": {"port": 80}}), "kestra:endpoints.all.port", "at least 1024"),
    ("details-visible", oss(endpoints={"health": {"details-visible": "EVERYONE"}}), "kestra:endpoints.health.details-visible", "AUTHENTICATED"),
    ("endpoint unknown", oss(endpoints={"envv": {}}), "kestra:endpoints.envv", "did you mean env"),
    # liveness
    *[(f"duration {d!r}", liveness(timeout=d), "kestra:server.liveness.timeout", "Rule:") for d in _BAD_DURATIONS if d is not None],
    ("zero", liveness(interval="0s"), "kestra:server.liveness.interval", "above zero"),
    ("ISO zero", liveness(interval="PT0S"), "kestra:server.liveness.interval", "above zero"),
    ("heartbeat above timeout", liveness(timeout="5s", heartbeat_interval="6s"), "kestra:server.liveness.heartbeat-interval", "heartbeat-interval < timeout"),
    ("heartbeat equals timeout", liveness(timeout="5s", heartbeat_interval="5s"), "kestra:server.liveness.heartbeat-interval", "heartbeat-interval < timeout"),
    ("heartbeat above default", liveness(heartbeat_interval="1m"), "kestra:server.liveness.heartbeat-interval", "timeout"),
    ("timeout below default heartbeat", liveness(timeout="2s", interval="1s"), "kestra:server.liveness.timeout", "heartbeat"),
    ("interval above timeout", liveness(interval="2m"), "kestra:server.liveness.interval", "interval <= timeout"),
    ("timeout below default interval", liveness(timeout="4s"), "kestra:server.liveness.timeout", "interval"),
    ("liveness typo", liveness(timeoutt="5s"), "kestra:server.liveness.timeoutt", "did you mean timeout"),
    ("liveness flag", liveness(enabled="yes"), "kestra:server.liveness.enabled", "true or false"),
    ("strategy unknown", server(worker_task_restart_strategy="SOMETIMES"), "kestra:server.worker-task-restart-strategy", "NEVER"),
    ("strategy lower case", server(worker_task_restart_strategy="immediately"), "kestra:server.worker-task-restart-strategy", "spelled exactly so"),
    ("grace", server(termination_grace_period="5 minutes"), "kestra:server.termination-grace-period", "default"),
    ("purge", server(service={"purge": {"retention": "banana"}}), "kestra:server.service.purge.retention", "duration"),
    ("purge a duration", server(service={"purge": "7d"}), "kestra:server.service.purge", "block"),
    ("heartbeat of old", oss(heartbeat={"frequency": "ten"}), "kestra:heartbeat.frequency", "duration"),
    ("missed of old", oss(heartbeat={"heartbeat-missed": 0}), "kestra:heartbeat.heartbeat-missed", "at least 1"),
    # editions
    ("secret in oss", oss(secret={"type": "jdbc"}), "kestra:secret", "declared-secrets"),
    ("security in oss", oss(security={"invitations": {"expire-after": "P1D"}}), "kestra:security", "Enterprise"),
    ("kafka in oss", oss(queue={"type": "kafka"}), "kestra:queue.type", "Enterprise"),
    ("elasticsearch in oss", oss(repository={"type": "elasticsearch"}), "kestra:repository.type", "Enterprise"),
    # secret managers
    ("type missing", enterprise(secret={"jdbc": {}}), "kestra:secret.type", "required"),
    ("type unknown", secret("keychain"), "kestra:secret.type", "vault"),
    ("manager without its block", secret("doppler"), "kestra:secret.doppler", "needs its block"),
    ("block of another manager", secret("vault", {"address": "https://v", "kubernetes": {}}, doppler={"token": PLANTED, "project": "p", "config": "c"}), "kestra:secret.doppler", "is not the block"),
    ("manager of 2.0 on 1.3", secret("delinea", {"address": "https://d", "username": "u", "password": PLANTED}), "kestra:secret.type", "2.0"),
    ("other block", secret("jdbc", {}, vault={"address": "https://v", "token": {}}), "kestra:secret.vault", "not the block of type"),
    ("read-only text", secret("vault", {"address": "https://v", "kubernetes": {}}, read_only="maybe"), "kestra:secret.read-only", "true or false"),
    ("jdbc read-only", secret("jdbc", {}, read_only=True), "kestra:secret.read-only", "does not exist"),
    ("jdbc short", secret("jdbc", {"secret": PLANTED}), "kestra:secret.jdbc.secret", "32 characters"),
    ("elasticsearch short", secret("elasticsearch", {"secret": PLANTED}), "kestra:secret.elasticsearch.secret", "32 characters"),
    ("jdbc same key", enterprise(secret={"type": "jdbc", "jdbc": {"secret": KEY}}, encryption={"secret-key": KEY}), "kestra:secret.jdbc.secret", "one key, one purpose"),
    ("vault without block", secret("vault"), "kestra:secret.vault", "is missing"),
    ("vault without address", secret("vault", {"kubernetes": {}}), "kestra:secret.vault.address", "is missing"),
    ("vault address", vault(address="v:8200", kubernetes={}), "kestra:secret.vault.address", "form"),
    ("vault two methods", vault(token={}, kubernetes={}), "kestra:secret.vault", "2 auth methods"),
    ("vault token text", vault(token=PLANTED), "kestra:secret.vault.token", "block of keys"),
    ("vault half role", vault(app_role={"role-id": PLANTED}), "kestra:secret.vault.app-role.secret-id", "go together"),
    ("vault userpass", vault(password={"password": PLANTED}), "kestra:secret.vault.password.user", "is missing"),
    ("vault engine version", vault(kubernetes={}, engine_version=1), "kestra:secret.vault.engine-version", "2"),
    ("vault engine name", vault(kubernetes={}, root_engine="/a b"), "kestra:secret.vault.root-engine", "form"),
    ("vault nested filter", vault(kubernetes={}, filter_on_tags={"tags": {"a": "b"}}), "kestra:secret.vault.filter-on-tags.tags", "text"),
    ("vault prefix filter", vault(kubernetes={}, filter_on_prefix={"prefix": "a"}), "kestra:secret.vault.filter-on-prefix", "no known key"),
    ("vault timeouts", vault(kubernetes={}, connect_timeout="15"), "kestra:secret.vault.connect-timeout", "15s"),
    ("vault read-only differs", secret("vault", {"address": "https://v", "kubernetes": {}, "read-only": True}), "kestra:secret.vault.read-only", "differs"),
    ("vault empty tag", vault(kubernetes={}, excluded_tags={"a": ""}), "kestra:secret.vault.excluded-tags.a", "empty"),
    ("vault ttl", enterprise(identity={"vault": {"token-ttl": "48h"}}), "kestra:identity.vault.token-ttl", "token-max-ttl"),
    ("vault ttl fraction", enterprise(identity={"vault": {"secret-id-ttl": "1500ms"}}), "kestra:identity.vault.secret-id-ttl", "whole second"),
    ("vault uses", enterprise(identity={"vault": {"secret-id-num-uses": 0}}), "kestra:identity.vault.secret-id-num-uses", "at least 1"),
    ("aws half keys", secret("aws-secret-manager", {"access-key-id": PLANTED}), "kestra:secret.aws-secret-manager.secret-key-id", "go together"),
    ("aws usual name", secret("aws-secret-manager", {"secret-access-key": PLANTED}), "kestra:secret.aws-secret-manager.secret-access-key", "no known key"),
    ("aws token alone", secret("aws-secret-manager", {"session-token": PLANTED}), "kestra:secret.aws-secret-manager.session-token", "stands without"),
    ("aws region", secret("aws-secret-manager", {"region": "Ireland"}), "kestra:secret.aws-secret-manager.region", "form"),
    ("aws flat filter", secret("aws-secret-manager", {"filter-on-tags": {"a": "b"}}, read_only=True), "kestra:secret.aws-secret-manager.filter-on-tags.a", "no known key"),
    ("aws filter managed", secret("aws-secret-manager", {"filter-on-tags": {"tags": {"a": "b"}}}), "kestra:secret.aws-secret-manager.filter-on-tags", "read-only mode only"),
    ("aws prefix managed", secret("aws-secret-manager", {"filter-on-prefix": {"prefix": "a"}}), "kestra:secret.aws-secret-manager.filter-on-prefix", "read-only mode only"),
    ("aws exclusion managed", secret("aws-secret-manager", {"excluded-tags": {"a": "b"}}), "kestra:secret.aws-secret-manager.excluded-tags", "read-only mode only"),
    ("aws prefix empty", secret("aws-secret-manager", {"filter-on-prefix": {}}, read_only=True), "kestra:secret.aws-secret-manager.filter-on-prefix.prefix", "is missing"),
    ("azure without block", secret("azure-key-vault"), "kestra:secret.azure-key-vault", "is missing"),
    ("azure seed's block", secret("azure-key-vault", {"client-secret": {"tenant-id": "i", "client-id": "i", "client-secret": PLANTED}}), "kestra:secret.azure-key-vault.vault-name", "vault-name and key-vault-uri"),
    ("azure both names", secret("azure-key-vault", {"vault-name": "abc", "key-vault-uri": "https://abc"}), "kestra:secret.azure-key-vault.vault-name", "exactly one"),
    ("azure name", secret("azure-key-vault", {"vault-name": "a_b"}), "kestra:secret.azure-key-vault.vault-name", "form"),
    ("azure name hyphens", secret("azure-key-vault", {"vault-name": "a--b"}), "kestra:secret.azure-key-vault.vault-name", "hyphens"),
    ("azure uri", secret("azure-key-vault", {"key-vault-uri": "http://a"}), "kestra:secret.azure-key-vault.key-vault-uri", "form"),
    ("azure secret text", secret("azure-key-vault", {"vault-name": "abc", "client-secret": PLANTED}), "kestra:secret.azure-key-vault.client-secret", "block of keys"),
    ("azure half principal", secret("azure-key-vault", {"vault-name": "abc", "client-secret": {"client-secret": PLANTED}}), "kestra:secret.azure-key-vault.client-secret.tenant-id", "is missing"),
    ("azure two identities", secret("azure-key-vault", {"vault-name": "abc", "managed-identity-client-id": "a", "managed-identity-resource-id": "b"}), "kestra:secret.azure-key-vault.managed-identity-client-id", "named once"),
    ("azure uri where the stack provisions", azure(block={"key-vault-uri": "https://abc"}), "kestra:secret.azure-key-vault.vault-name", "in place of key-vault-uri"),
    ("azure store of another cloud", enterprise(store={"azure": {"resource-group": "r"}}), "kestra:store.azure", "no secret manager"),
    ("azure identity of another cloud", enterprise(identity={"azure": {"name": "abc"}}), "kestra:identity.azure", "no secret manager"),
    ("azure without resource group", azure() | {"store": {"azure": {}}}, "kestra:store.azure.resource-group", "is missing"),
    ("azure resource group", azure(store={"resource-group": "a."}), "kestra:store.azure.resource-group", "form"),
    ("azure soft delete", azure(store={"soft-delete-days": 6}), "kestra:store.azure.soft-delete-days", "at least 7"),
    ("azure sku", azure(store={"sku": "basic"}), "kestra:store.azure.sku", "premium"),
    ("azure addresses without network", azure(store={"allowed-addresses": ["203.0.113.0/24"]}), "kestra:store.azure.public-network", "have no effect"),
    ("azure subnets without network", azure(store={"allowed-subnet-ids": ["/subscriptions/s"]}), "kestra:store.azure.public-network", "have no effect"),
    ("azure address", azure(store={"public-network": True, "allowed-addresses": ["here"]}), "kestra:store.azure.allowed-addresses[0]", "no IPv4"),
    ("azure address with host bits", azure(store={"public-network": True, "allowed-addresses": ["203.0.113.1/24"]}), "kestra:store.azure.allowed-addresses[0]", "host bits"),
    ("azure private address", azure(store={"public-network": True, "allowed-addresses": ["10.1.0.0/16"]}), "kestra:store.azure.allowed-addresses[0]", "not a public address"),
    ("azure everybody", azure(store={"public-network": True, "allowed-addresses": ["203.0.113.7", "0.0.0.0/0"]}), "kestra:store.azure.allowed-addresses[1]", "everybody"),
    ("azure endpoint subnet", azure(store={"private-endpoint": {"subnet-id": "endpoints"}}), "kestra:store.azure.private-endpoint.subnet-id", "form"),
    ("azure endpoint zone", azure(store={"private-endpoint": {"subnet-id": "/subscriptions/s/subnets/e", "dns-zone-id": "zone"}}), "kestra:store.azure.private-endpoint.dns-zone-id", "form"),
    ("azure workspace", azure(store={"workspace-id": "logs"}), "kestra:store.azure.workspace-id", "form"),
    ("azure network of an existing vault", azure(store={"create-vault": False, "public-network": False}), "kestra:store.azure.public-network", "create-vault is false"),
    ("azure addresses of an existing vault", azure(store={"create-vault": False, "allowed-addresses": []}), "kestra:store.azure.allowed-addresses", "create-vault is false"),
    ("azure recovery vault too long", azure(block={"vault-name": "a" * 21}), "kestra:store.azure.recovery-vault-name", "no name of a vault"),
    ("azure recovery vault hyphens", azure(store={"recovery-vault-name": "a--b"}), "kestra:store.azure.recovery-vault-name", "no name of a vault"),
    ("azure recovery vault form", azure(store={"recovery-vault-name": "a_b"}), "kestra:store.azure.recovery-vault-name", "form"),
    ("azure recovery vault is Kestra's", azure(store={"recovery-vault-name": "EXAMPLE"}), "kestra:store.azure.recovery-vault-name", "Kestra's own vault"),
    ("azure identity name", azure(identity={"name": "a b"}), "kestra:identity.azure.name", "form"),
    ("azure issuer", azure(identity={"oidc-issuer-url": "http://issuer"}), "kestra:identity.azure.oidc-issuer-url", "form"),
    ("azure two ways to an identity", azure(block={"vault-name": "example", "client-secret": {"tenant-id": "t", "client-id": "c", "client-secret": PLANTED}}), "kestra:identity.azure.oidc-issuer-url", "client-secret"),
    ("azure given workload identity too", azure(block={"vault-name": "example", "workload-identity-client-id": "c"}), "kestra:identity.azure.oidc-issuer-url", "workload-identity-client-id"),
    ("azure identity without a group", azure(store=None, declared_secrets={}) | {"store": {}}, "kestra:identity.azure.resource-group", "is missing"),
    ("azure secret date", azure_secret(expires="2027-02-30T00:00:00Z"), "kestra:declared-secrets.TOKEN.expires", "no date"),
    ("azure secret date form", azure_secret(expires="2027-02-28"), "kestra:declared-secrets.TOKEN.expires", "form"),
    ("azure secret tags", azure_secret(tags={f"t{i}": "x" for i in range(12)}), "kestra:declared-secrets.TOKEN.tags", "15 at most"),
    ("azure stack tags", azure(tags={"additional": {f"t{i}": "x" for i in range(16)}}), "kestra:tags", "15 at most"),
    ("azure tag in another case", azure_secret(tags={"Namespace": "x"}), "kestra:declared-secrets.TOKEN.tags", "ignores the case"),
    ("azure filter tag", azure(block={"vault-name": "example", "filter-on-tags": {"tags": {"a/b": "c"}}}), "kestra:declared-secrets.TOKEN.tags", "512 characters"),
    ("azure secret name collision", azure(declared_secrets={"A_B": {"namespace": "a", "generate": {}}, "a_b": {"namespace": "a", "generate": {}}}), "kestra:declared-secrets.a_b", "is the same as A_B"),
    ("google account a block", secret("google-secret-manager", {"service-account": {"private_key": PLANTED}}), "kestra:secret.google-secret-manager.service-account", "text"),
    ("google no project", google({"project": None}), "kestra:secret.google-secret-manager.project", "is missing"),
    ("google no project of the pool", {k: v for k, v in google({"project": None}).items() if k != "store"}, "kestra:secret.google-secret-manager.project", "is missing"),
    ("google key and pool", google({"service-account": PLANTED}), "kestra:identity.gcp.workload-pool", "stands beside"),
    ("google account id", google(identity={"gcp": {"workload-pool": POOL, "account-id": "Kestra"}}), "kestra:identity.gcp.account-id", "form"),
    ("google account id long", google(identity={"gcp": {"workload-pool": POOL}, "service-account": {"name": "a" * 24}}), "kestra:identity.gcp.account-id", "is missing"),
    ("google pool", google(identity={"gcp": {"workload-pool": "kestra"}}), "kestra:identity.gcp.workload-pool", "form"),
    ("google prefix", google({"prefix": "a.b"}, read_only=False), "kestra:secret.google-secret-manager.prefix", "cannot begin"),
    ("google prefix of the copy", google({"prefix": "stack"}, read_only=False), "kestra:secret.google-secret-manager.prefix", "is how stack-kestra-encryption-key begins"),
    ("google multi-region", google(store={"gcp": {"regions": ["eu"]}}), "kestra:store.gcp.regions[0]", "is no region"),
    ("google region twice", google(store={"gcp": {"regions": ["europe-west1", "europe-west1"]}}), "kestra:store.gcp.regions[1]", "twice"),
    ("google key elsewhere", google(store={"gcp": {"kms": {"name": KEY_NAME}}}), "kestra:store.gcp.kms.name", "is a key in europe-west1"),
    ("google key for two", google(store={"gcp": {"regions": ["europe-west1", "europe-west4"], "kms": {"name": KEY_NAME}}}), "kestra:store.gcp.kms.name", "is a key in europe-west1"),
    ("google rotation", google(store={"gcp": {"kms": {"rotation-period": "1h"}}}), "kestra:store.gcp.kms.rotation-period", "1 to 36500 days"),
    ("google destruction", google(store={"gcp": {"kms": {"destroy-after": "121d"}}}), "kestra:store.gcp.kms.destroy-after", "1 to 120 days"),
    ("google ttl", google(store={"gcp": {"destroy-ttl": "23h"}}), "kestra:store.gcp.destroy-ttl", "1 to 1000 days"),
    ("google ttl fraction", google(store={"gcp": {"destroy-ttl": "86400001ms"}}), "kestra:store.gcp.destroy-ttl", "whole second"),
    ("google alias", google(declared_secrets=aliased({"latest": 1})), "kestra:declared-secrets.A.version-aliases.latest", "neither latest"),
    ("google alias form", google(declared_secrets=aliased({"1st": 1})), "kestra:declared-secrets.A.version-aliases.1st", "a letter"),
    ("google alias of nothing", google(declared_secrets=aliased({"first": 0})), "kestra:declared-secrets.A.version-aliases.first", "from 1"),
    ("google aliases", google(declared_secrets=aliased({f"a{i}": 1 for i in range(51)})), "kestra:declared-secrets.A.version-aliases", "50 at most"),
    ("google label of the namespace", google(declared_secrets={"A": {"namespace": "n" * 64, "generate": {}}}), "kestra:declared-secrets.A", "tag namespace has a value"),
    ("google label of the filter", google({"filter-on-tags": {"tags": {"Team": "a"}}}, declared_secrets={"A": {"namespace": "n", "generate": {}}}), "kestra:declared-secrets.A", "tag Team cannot be a name"),
    ("cache size", secret("jdbc", {}, cache={"maximum-size": 0}), "kestra:secret.cache.maximum-size", "at least 1"),
    ("cache size text", secret("jdbc", {}, cache={"maximum-size": "many"}), "kestra:secret.cache.maximum-size", "whole number"),
    ("cache ttl", secret("jdbc", {}, cache={"expire-after-write": 60}), "kestra:secret.cache.expire-after-write", "60s"),
    ("isolation unknown", secret("jdbc", {}, isolation={"denied-services": ["STANDALONE"]}), "kestra:secret.isolation.denied-services[0]", "EXECUTOR"),
    ("isolation lower case", secret("jdbc", {}, isolation={"denied-services": ["executor"]}), "kestra:secret.isolation.denied-services[0]", "spelled exactly"),
    ("isolation controller", secret("jdbc", {}, isolation={"enabled": True, "denied-services": ["CONTROLLER"]}), "kestra:secret.isolation.denied-services[0]", "1.3"),
    ("isolation empty", secret("jdbc", {}, isolation={"enabled": True}), "kestra:secret.isolation.denied-services", "is empty"),
    ("isolation twice", secret("jdbc", {}, isolation={"enabled": True, "denied-services": ["EXECUTOR", "EXECUTOR"]}), "kestra:secret.isolation.denied-services[1]", "twice"),
    # security
    ("admin without name", enterprise(security={"super-admin": {"password": PLANTED}}), "kestra:security.super-admin.username", "is missing"),
    ("two owners", enterprise(security={"super-admin": {"username": "a"}, "instance-owner": {"username": "b"}}), "kestra:security.instance-owner", "same account"),
    ("tenants a text", enterprise(security={"super-admin": {"username": "a", "tenant-admin-access": "main"}}), "kestra:security.super-admin.tenant-admin-access", "list"),
    ("role without name", enterprise(security={"default-role": {"permissions": {"FLOW": ["READ"]}}}), "kestra:security.default-role.name", "is missing"),
    ("role without permissions", role({}), "kestra:security.default-role.permissions", "at least 1"),
    ("role unknown resource", role({"FLOWS": ["READ"]}), "kestra:security.default-role.permissions.FLOWS", "no resource"),
    ("role unknown action", role({"FLOW": ["WRITE"]}), "kestra:security.default-role.permissions.FLOW[0]", "no action"),
    ("role 2.0 words on 1.3", role({"FLOW": ["VIEW"]}), "kestra:security.default-role.permissions.FLOW[0]", "Kestra 1.x"),
    ("role template on 2.0", role({"TEMPLATE": ["READ"]}, "2.0"), "kestra:security.default-role.permissions.TEMPLATE", "no counterpart"),
    ("role mixed words", role({"FLOW": ["READ", "VIEW"]}, "2.0"), "kestra:security.default-role.permissions.FLOW[1]", "Kestra 1.x"),
    ("role nothing", role({"FLOW": []}), "kestra:security.default-role.permissions.FLOW", "grants nothing"),
    ("invitations", enterprise(security={"invitations": {"expire-after": "30 days"}}), "kestra:security.invitations.expire-after", "duration"),
    ("regexp on 2.0", enterprise(version="2.0", security={"basic-auth": {"password-regexp": ".*"}}), "kestra:security.basic-auth.password-regexp", "structured"),
    ("structured on 1.3", enterprise(security={"basic-auth": {"password-min-length": 12}}), "kestra:security.basic-auth.password-min-length", "password-regexp"),
    ("regexp broken", enterprise(security={"basic-auth": {"password-regexp": "(a"}}), "kestra:security.basic-auth.password-regexp", "regular expression"),
    ("length below", enterprise(version="2.0", security={"basic-auth": {"password-min-length": 4}}), "kestra:security.basic-auth.password-min-length", "at least 8"),
    ("delete flag", oss(configurations={"delete-files-on-start": "on"}), "kestra:configurations.delete-files-on-start", "true or false"),
    # AWS
    ("aws window below", aws(recovery_window_days=3), "kestra:store.aws.recovery-window-days", "between 7 and 30"),
    ("aws window zero", aws(recovery_window_days=0) | {"tags": {"environment": "staging"}}, "kestra:store.aws.recovery-window-days", "0 in staging"),
    ("aws deletion window", aws(kms={"deletion-window-days": 3}), "kestra:store.aws.kms.deletion-window-days", "at least 7"),
    ("aws rotation period", aws(kms={"rotation-period-days": 30}), "kestra:store.aws.kms.rotation-period-days", "at least 90"),
    ("aws key alias", aws(kms={"arn": "alias/mine"}), "kestra:store.aws.kms.arn", "form"),
    ("aws key elsewhere", aws(kms={"arn": "arn:aws:kms:us-east-1:111122223333:key/1"}), "kestra:store.aws.kms.arn", "a key in us-east-1"),
    ("aws key and its window", aws(kms={"arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "deletion-window-days": 7}), "kestra:store.aws.kms.deletion-window-days", "existing key"),
    ("aws administrator", aws(kms={"administrators": ["*"]}), "kestra:store.aws.kms.administrators[0]", "no ARN"),
    ("aws replica twice", aws(replicas=[{"region": "us-east-1"}, {"region": "us-east-1"}]), "kestra:store.aws.replicas[1]", "listed twice"),
    ("aws replica at home", aws(replicas=[{"region": "eu-west-1"}]), "kestra:store.aws.replicas[0].region", "region of the secrets"),
    ("aws replica key", aws(replicas=[{"region": "us-east-1", "kms-key-arn": "arn:aws:kms:eu-west-1:111122223333:key/1"}]), "kestra:store.aws.replicas[0].kms-key-arn", "a key in eu-west-1"),
    ("aws two identities", aws_identity(irsa={"oidc-provider-arn": OIDC}, role_arn="arn:aws:iam::111122223333:role/a"), "kestra:identity.aws", "irsa and role-arn"),
    ("aws provider", aws_identity(irsa={"oidc-provider-arn": "oidc.eks"}), "kestra:identity.aws.irsa.oidc-provider-arn", "form"),
    ("aws role and boundary", aws_identity(role_arn="arn:aws:iam::111122223333:role/a", role_name="b"), "kestra:identity.aws.role-arn", "role that is made"),
    ("aws name of no role", aws_identity(role_name="b"), "kestra:identity.aws", "not made"),
    ("aws long role", aws_identity(irsa={"oidc-provider-arn": OIDC}) | {"deployment": {"namespace": "n" * 63}}, "kestra:identity.aws.role-name", "64"),
    ("aws keys and identity", secret("aws-secret-manager", {"access-key-id": PLANTED, "secret-key-id": PLANTED}) | {"identity": {"aws": {"irsa": {"oidc-provider-arn": OIDC}}}}, "kestra:identity.aws.irsa", "static keys"),
    ("aws external id alone", secret("aws-secret-manager", {"sts-role-external-id": "x"}), "kestra:secret.aws-secret-manager.sts-role-external-id", "sts-role-arn"),
    ("aws wide prefix", secret("aws-secret-manager", {"prefix": "*"}), "kestra:secret.aws-secret-manager.prefix", "beginning of a name"),
    ("aws wide filter", secret("aws-secret-manager", {"filter-on-prefix": {"prefix": "${aws:username}"}}, read_only=True), "kestra:secret.aws-secret-manager.filter-on-prefix.prefix", "beginning of a name"),
    ("aws variable in a tag", secret("aws-secret-manager", {"filter-on-tags": {"tags": {"team": "${aws:username}"}}}, read_only=True), "kestra:secret.aws-secret-manager.filter-on-tags.tags.team", "cannot hold"),
    ("ssm on 1.3", secret("aws-ssm-parameter-store", {}), "kestra:secret.type", "2.0"),
    ("ssm replicas", ssm(store={"aws": {"replicas": [{"region": "us-east-1"}]}}), "kestra:store.aws.replicas", "Parameter Store"),
    ("ssm two keys", ssm({"kms-key-id": "alias/a"}, store={"aws": {}}), "kestra:secret.aws-ssm-parameter-store.kms-key-id", "store.aws.kms.arn"),
    ("ssm key alias", ssm({"kms-key-id": "alias/a"}, identity={"aws": {"irsa": {"oidc-provider-arn": OIDC}}}), "kestra:secret.aws-ssm-parameter-store.kms-key-id", "no ARN"),
    ("ssm everything", ssm({}, read_only=True, identity={"aws": {"irsa": {"oidc-provider-arn": OIDC}}}), "kestra:secret.aws-ssm-parameter-store.filter-on-prefix", "is missing"),
    ("ssm slash", ssm({"prefix": "a/b"}), "kestra:secret.aws-ssm-parameter-store.prefix", "beginning of a name"),
    ("rotation in ssm", ssm({}, read_only=True, store={"aws": {}}, declared_secrets={"A": {"namespace": "a", "generate": {}, "rotation": {"lambda-arn": LAMBDA}}}), "kestra:declared-secrets.A.rotation", "aws-secret-manager"),
    ("rotation schedule", aws() | {"declared-secrets": {"A": {"namespace": "a", "generate": {}, "rotation": {"lambda-arn": LAMBDA, "schedule": "monthly"}}}}, "kestra:declared-secrets.A.rotation.schedule", "form"),
    # a second secret manager
    ("also the same", moving(VAULT), "kestra:store.also.type", "no other secret manager"),
    ("also in the open-source edition", oss(store={"also": VAULT}), "kestra:store.also.type", "no other secret manager"),
    ("also nothing to write", moving(AWS_ALSO, declared_secrets={}), "kestra:store.also", "nothing to write"),
    ("also without store", moving(AWS_ALSO, store={"also": AWS_ALSO}), "kestra:declared-secrets", "has no kestra:store.aws"),
    ("also managed", moving(AWS_ALSO | {"read-only": False}), "kestra:declared-secrets", "kestra:store.also.read-only"),
    ("also jdbc", moving({"type": "jdbc"}), "kestra:declared-secrets", "internal store"),
    ("also external", moving({"type": "doppler", "read-only": True, "doppler": {"token": PLANTED, "project": "p", "config": "c"}}), "kestra:declared-secrets", "cannot be written to doppler"),
    ("also another block", moving(AWS_ALSO | {"vault": {"address": "https://w:8200"}}), "kestra:store.also.vault", "not the block of type"),
    ("also no block", moving({"type": "azure-key-vault", "read-only": True}), "kestra:store.also.azure-key-vault", "is missing"),
    ("also half keys", moving(AWS_ALSO | {"aws-secret-manager": {"access-key-id": PLANTED}}), "kestra:store.also.aws-secret-manager.secret-key-id", "go together"),
    ("also unknown key", moving(AWS_ALSO | {"aws-secret-manager": {"regoin": "eu-west-1"}}), "kestra:store.also.aws-secret-manager.regoin", "did you mean region"),
    ("also on 1.3", moving({"type": "aws-ssm-parameter-store", "read-only": True}), "kestra:store.also.type", "2.0"),
    ("also a window", moving(AWS_ALSO, store={"also": AWS_ALSO, "aws": {"recovery-window-days": 3}}), "kestra:store.aws.recovery-window-days", "7 to 30"),
    ("also a third cloud", moving(AWS_ALSO, store={"also": AWS_ALSO, "aws": {}, "gcp": {}}), "kestra:store.gcp", "no secret manager"),
    ("also a name", moving({"type": "google-secret-manager", "read-only": True, "google-secret-manager": {"project": "p"}}, store={"gcp": {}}, tags={"additional": {"team": "A.b"}}), "kestra:tags.additional.team", "Google Cloud labels"),
    ("also rotation", moving(AWS_ALSO, declared_secrets={"A": {"namespace": "a", "generate": {}, "rotation": {"lambda-arn": LAMBDA}}}), "kestra:declared-secrets.A.rotation", "second secret manager"),
    ("also an identity of no one", moving(AWS_ALSO, identity={"gcp": {"workload-pool": POOL}}), "kestra:identity.gcp", "no secret manager"),
    # declared secrets
    ("declared nothing", oss(declared_secrets={"A": {"namespace": "a"}}), "kestra:declared-secrets.A", "neither value nor generate"),
    ("declared both", declared(value=PLANTED), "kestra:declared-secrets.TOKEN", "both value and generate"),
    ("external key and a given one", enterprise(encryption={"external": True, "secret-key": KEY}), "kestra:encryption.external", "beside secret-key"),
    ("external key without a manager", oss(encryption={"external": True}), "kestra:encryption.external", "no secret manager that could keep the key"),
    ("fingerprint of one's own key", enterprise(encryption={"fingerprint": "1a2b3c4d"}), "kestra:encryption.fingerprint", "has no effect"),
    ("fingerprint's form", enterprise(encryption={"external": True, "fingerprint": "1A2B"}), "kestra:encryption.fingerprint", "form"),
    ("declared and external", enterprise(declared_secrets={"A": {"namespace": "a", "value": PLANTED, "external": True}}), "kestra:declared-secrets.A", "both value and external"),
    ("declared thrice", enterprise(declared_secrets={"A": {"namespace": "a", "value": PLANTED, "external": True, "generate": {}}}), "kestra:declared-secrets.A", "has value and generate and external"),
    ("external without a manager", oss(declared_secrets={"A": {"external": True}}), "kestra:declared-secrets.A.external", "no secret manager that could keep"),
    ("kept from the state without a manager", oss(declared_secrets={"A": {"generate": {"keep-from-state": True}}}), "kestra:declared-secrets.A.generate.keep-from-state", "no secret manager that could keep"),
    ("password policy without keep-from-state", enterprise(declared_secrets={"A": {"namespace": "a", "generate": {"password-policy": "p"}}}), "kestra:declared-secrets.A.generate.password-policy", "makes no value that the stack keeps"),
    ("password policy of AWS", secret("aws-secret-manager", read_only=True) | {"store": {"aws": {}}, "declared-secrets": {"A": {"namespace": "a", "generate": {"keep-from-state": True, "password-policy": "p"}}}}, "kestra:declared-secrets.A.generate.password-policy", "belongs to vault"),
    ("external a text", enterprise(declared_secrets={"A": {"namespace": "a", "external": "yes"}}), "kestra:declared-secrets.A.external", "not true or false"),
    ("external jdbc", enterprise(secret={"type": "jdbc"}, declared_secrets={"A": {"namespace": "a", "external": True}}), "kestra:declared-secrets", "internal store"),
    ("external rotated here", enterprise(declared_secrets={"A": {"namespace": "a", "generate": {"keep-from-state": True, "rotation": "2"}}}), "kestra:declared-secrets.A.generate.rotation", "command alone"),
    ("external rotated by AWS", secret("aws-secret-manager", read_only=True) | {"store": {"aws": {}}, "declared-secrets": {"A": {"namespace": "a", "external": True, "rotation": {"lambda-arn": LAMBDA}}}}, "kestra:declared-secrets.A.rotation", "value that is there at once"),
    ("declared empty", oss(declared_secrets={"A": {"namespace": "a", "value": ""}}), "kestra:declared-secrets.A.value", "is empty"),
    ("declared name", oss(declared_secrets={"A-B": {"namespace": "a", "generate": {}}}), "kestra:declared-secrets.A-B", "no name"),
    ("declared no namespace", enterprise(declared_secrets={"A": {"generate": {}}}), "kestra:declared-secrets.A.namespace", "is missing"),
    ("declared namespace", declared(namespace="A b"), "kestra:declared-secrets.TOKEN.namespace", "form"),
    ("declared short", declared(generate={"length": 4}), "kestra:declared-secrets.TOKEN.generate.length", "at least 16"),
    ("declared a text", oss(declared_secrets={"A": PLANTED}), "kestra:declared-secrets.A", "block of keys"),
    ("declared twice", oss(declared_secrets={"a": {"namespace": "a", "generate": {}}, "A": {"namespace": "a", "generate": {}}}), "kestra:declared-secrets.A", "upper-cases"),
    ("declared managed", enterprise(secret=VAULT | {"read-only": False}, declared_secrets={"A": {"namespace": "a", "generate": {}}}), "kestra:declared-secrets", "does not see"),
    ("declared aws", secret("aws-secret-manager", read_only=True) | {"declared-secrets": {"A": {"namespace": "a", "generate": {}}}}, "kestra:declared-secrets", "has no kestra:store.aws"),
    ("declared description", enterprise(declared_secrets={"A": {"namespace": "a", "generate": {}, "description": "two\nlines"}}), "kestra:declared-secrets.A.description", "one line"),
    ("declared description in bytes", enterprise(declared_secrets={"A": {"namespace": "a", "generate": {}, "description": "\u00fc" * 300}}), "kestra:declared-secrets.A.description", "512 bytes"),
    ("declared tags and the stack's", enterprise(tags={"additional": {f"s{i}": "x" for i in range(40)}}, declared_secrets={"A": {"namespace": "a", "generate": {}, "tags": {f"t{i}": "x" for i in range(40)}}}), "kestra:declared-secrets.A.tags", "64 at most"),
    ("declared jdbc", enterprise(secret={"type": "jdbc"}, declared_secrets={"A": {"namespace": "a", "generate": {}}}), "kestra:declared-secrets", "internal store"),
    # platform
    ("datasource url", oss(datasources={"postgres": {"url": "postgres://x"}}), "kestra:datasources.postgres.url", "form"),
    ("datasource name", oss(datasources={"oracle": {"url": "jdbc:x"}}), "kestra:datasources.oracle", "postgres"),
    ("datasource key", oss(datasources={"h2": {"url": "jdbc:h2:x", "pasword": PLANTED}}), "kestra:datasources.h2.pasword", "did you mean password"),
    ("queue without source", oss(queue={"type": "postgres"}), "kestra:queue.type", "no datasource"),
    ("repository unknown", oss(repository={"type": "sqlite"}), "kestra:repository.type", "postgres"),
    ("storage block missing", oss(storage={"type": "s3"}), "kestra:storage.s3", "is missing"),
    ("storage other block", oss(storage={"type": "local", "minio": {"endpoint": "m", "bucket": "abc"}}), "kestra:storage.minio", "not the block"),
    ("storage path", oss(storage={"type": "local", "local": {"base-path": "x"}}), "kestra:storage.local.base-path", "form"),
    # deployment
    ("image latest", deployment(image={"tag": "latest"}), "kestra:deployment.image.tag", "moves"),
    ("image latest variant", deployment(image={"tag": "latest-no-plugins"}), "kestra:deployment.image.tag", "moves"),
    ("image of 2.0", deployment(image={"tag": "v2.0.0"}), "kestra:deployment.image.tag", "not of Kestra 1.3"),
    ("image digest", deployment(image={"digest": "sha256:abc"}), "kestra:deployment.image.digest", "form"),
    ("namespace", deployment(namespace="Kestra_1"), "kestra:deployment.namespace", "form"),
    ("mode", deployment(mode="ha"), "kestra:deployment.mode", "distributed"),
    ("distributed on h2", deployment(mode="distributed"), "kestra:deployment.mode", "shared queue"),
    ("replicas standalone", deployment(components={"standalone": {"replicas": 2}}), "kestra:deployment.components.standalone.replicas", "more than one"),
    ("component not deployed", deployment(components={"worker": {"replicas": 2}}), "kestra:deployment.components.worker", "not deployed"),
    ("replicas negative", deployment(components={"standalone": {"replicas": -1}}), "kestra:deployment.components.standalone.replicas", "at least 0"),
    ("memory", deployment(components={"standalone": {"resources": {"limits": {"memory": "2GB"}}}}), "kestra:deployment.components.standalone.resources.limits.memory", "form"),
    ("request above limit", deployment(components={"standalone": {"resources": {"requests": {"cpu": "1500m"}, "limits": {"cpu": "1"}}}}), "kestra:deployment.components.standalone.resources.requests.cpu", "above the limit"),
    ("volume without local storage", oss(storage={"type": "gcs", "gcs": {"bucket": "kestra"}}, deployment={"storage-volume": {"size": "1Gi"}}), "kestra:deployment.storage-volume", "has no use"),
    ("distributed without a volume", oss(storage={"type": "local"}, deployment={"mode": "distributed"}), "kestra:deployment.storage-volume", "ReadWriteMany"),
    ("ingress without TLS", deployment(ingress={"host": "k.example.com"}), "kestra:deployment.ingress.tls-secret", "is missing"),
    ("ingress host", deployment(ingress={"host": "K!", "tls-secret": "t"}), "kestra:deployment.ingress.host", "form"),
    ("environment name", deployment(environment={"A-B": "x"}), "kestra:deployment.environment.A-B", "no name"),
    ("environment of ours", deployment(environment={"STACK_X": "x"}), "kestra:deployment.environment.STACK_X", "its own"),
    ("environment secret", deployment(environment={"SECRET_X": PLANTED}), "kestra:deployment.environment.SECRET_X", "declared-secrets"),
    ("url", deployment(url="kestra.example.com"), "kestra:deployment.url", "form"),
    # tags
    ("environment unknown", oss(tags={"environment": "prod"}), "kestra:tags.environment", "production"),
    ("data class", oss(tags={"data-class": "secret"}), "kestra:tags.data-class", "confidential"),
    ("production without owner", oss(tags={"environment": "production"}), "kestra:tags.owner", "is missing"),
    ("tag of convention", oss(tags={"additional": {"owner": "x"}}), "kestra:tags.additional.owner", "convention"),
    ("tag value", oss(tags={"additional": {"team": "a b"}}), "kestra:tags.additional.team", "Kubernetes labels"),
    ("tag name", oss(tags={"additional": {"a/b/c": "x"}}), "kestra:tags.additional.a/b/c", "63"),
    ("tag number", oss(tags={"additional": {"cost": 12}}), "kestra:tags.additional.cost", "quotes"),
]  # fmt: skip
