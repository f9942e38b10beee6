"""Reads a fix as a person does who follows it to the letter, and gives the document after it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

from components.settings.report import Problem

Document = dict[str, Any]
Place = list[str | int]
#: Key, with its dots and without names and positions, to a value that is accepted.
SAMPLES: dict[str, Any] = {
    "store": {},
    "store.type": "vault",
    "store.also.type": "azure-key-vault",
    "secret.type": "vault",
    "store.vault": {"address": "https://vault.example.com:8200"},
    "store.vault.address": "https://vault.example.com:8200",
    "store.vault.mount": "kestra",
    "store.vault.path": "team",
    "store.vault.auth-path": "kubernetes",
    "store.vault.role": "reader",
    "store.vault.namespace": "admin",
    "store.vault.ca-certificate": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
    "store.aws": {"region": "eu-west-1"},
    "store.aws.region": "eu-west-1",
    "store.aws.prefix": "kestra",
    "store.aws.kms": {},
    "store.aws.kms.arn": "arn:aws:kms:eu-west-1:111122223333:key/1",
    "store.aws.kms.administrators": ["arn:aws:iam::111122223333:role/keys"],
    "store.aws.kms.deletion-window-days": 30,
    "store.aws.kms.rotation-period-days": 365,
    "store.aws.recovery-window-days": 7,
    "store.aws.replicas": [{"region": "us-east-1"}],
    "store.azure": {"resource-group": "r", "vault-name": "vault-a"},
    "store.azure.vault-name": "vault-a",
    "store.azure.prefix": "kestra-",
    "store.azure.resource-group": "r",
    "store.azure.location": "westeurope",
    "store.azure.recovery-vault-name": "vault-b",
    "store.azure.sku": "premium",
    "store.azure.soft-delete-days": 90,
    "store.azure.allowed-addresses": ["203.0.113.0/24"],
    "store.azure.allowed-subnet-ids": ["/subscriptions/a/subnets/b"],
    "store.azure.private-endpoint": {"subnet-id": "/subscriptions/a/subnets/b"},
    "store.azure.private-endpoint.subnet-id": "/subscriptions/a/subnets/b",
    "store.azure.private-endpoint.dns-zone-id": "/subscriptions/a/privateDnsZones/b",
    "store.azure.private-endpoint.location": "westeurope",
    "store.azure.workspace-id": "/subscriptions/a/workspaces/b",
    "store.gcp": {"project": "acme-project"},
    "store.gcp.project": "acme-project",
    "store.gcp.prefix": "kestra-",
    "store.gcp.regions": ["europe-west1"],
    "store.gcp.kms": {},
    "store.gcp.kms.name": "projects/p/locations/global/keyRings/r/cryptoKeys/k",
    "store.gcp.kms.rotation-period": "90d",
    "store.gcp.kms.destroy-after": "30d",
    "store.gcp.destroy-ttl": "30d",
    "store.teams.namespaces": ["company.billing"],
    "store.teams.tenant": "main",
    "store.teams.name-prefix": "BILLING_",
    "store.teams.secrets": ["BILLING_TOKEN"],
    "store.teams.kms-key-arn": "arn:aws:kms:eu-west-1:111122223333:key/1",
    "identity.aws": {
        "irsa": {"oidc-provider-arn": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/id/A"}
    },
    "identity.aws.irsa": {
        "oidc-provider-arn": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/id/A"
    },
    "identity.azure.oidc-issuer-url": "https://issuer.example.com",
    "identity.gcp.workload-pool": "acme-project.svc.id.goog",
    "identity.vault.reach-cluster": True,
    "declared-secrets.namespace": "company",
    "declared-secrets.tenant": "main",
    "declared-secrets.value": "a value",
    "declared-secrets.generate": {},
    "declared-secrets.generate.length": 32,
    "declared-secrets.generate.rotation": "2026-11",
    "declared-secrets.generate.password-policy": "strong",
    "declared-secrets.existing": {"file": "/mnt/a"},
    "declared-secrets.existing.name": "a",
    "declared-secrets.existing.property": "password",
    "declared-secrets.existing.version": "3",
    "declared-secrets.existing.kubernetes-secret": "smtp",
    "declared-secrets.existing.key": "password",
    "declared-secrets.existing.file": "/mnt/a",
    "declared-secrets.existing.encoding": "plain",
    "declared-secrets.description": "Of the API",
    "declared-secrets.tags": {"team": "blue"},
    "declared-secrets.content-type": "text/plain",
    "declared-secrets.expires": "2030-01-31T00:00:00Z",
    "declared-secrets.rotation": {"lambda-arn": "arn:aws:lambda:eu-west-1:111122223333:function:f"},
    "declared-secrets.rotation.lambda-arn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
    "declared-secrets.rotation.schedule": "rate(30 days)",
    "declared-secrets.version-aliases": {"stable": 1},
}  # fmt: skip


def followed(document: Document, problem: Problem) -> Iterator[tuple[str, Document]]:
    """Each way that the fix names, and the document after it.

    Raises:
        AssertionError: a way that nobody has read here yet.
    """
    place = place_of(problem.path)
    for way in re.split(r"; or |, or |; ", problem.fix):
        for changed in _after(way, document, place):
            yield way, changed


def place_of(path: str) -> Place:
    """The keys of a path."""
    parts = re.findall(r"[^.\[\]]+", path.removeprefix("kestra:"))
    return [int(part) if part.isdigit() else part for part in parts]


def _after(way: str, document: Document, place: Place) -> Iterator[Document]:
    for pattern, change in _WAYS:
        if match := re.fullmatch(pattern, way, re.DOTALL):
            changed = copy.deepcopy(document)
            several = change(changed, place, match)
            yield from several if several is not None else (changed,)
            return
    raise AssertionError(f"a way that is not read here: {way}")


def value_at(document: Document, place: Place) -> Any:
    """What stands at a place."""
    node: Any = document
    for part in place:
        node = node[part]
    return node


def put(document: Document, place: Place, value: Any) -> None:
    """Writes a value, and the blocks above it."""
    node: Any = document
    for part in place[:-1]:
        if isinstance(node, dict) and not isinstance(node.get(part), (dict, list)):
            node[part] = {}
        node = node[part]
    node[place[-1]] = value


def _remove(document: Document, place: Place, _: re.Match[str]) -> None:
    del value_at(document, place[:-1])[place[-1]]


def _sample(document: Document, place: Place, _: re.Match[str]) -> None:
    # An item of a list, or of a map, is as the samples of the whole have it.
    parts = [str(part) for part in place]
    if parts[0] == "declared-secrets":
        del parts[1]
    elif parts[:2] == ["store", "teams"]:
        del parts[2]
    key = ".".join(parts)
    if key not in SAMPLES:
        whole = SAMPLES[key.rpartition(".")[0]]
        inner = next(iter(whole.values() if isinstance(whole, dict) else whole))
        put(document, place, inner)
        return
    put(document, place, copy.deepcopy(SAMPLES[key]))


def _set(place: Place, value: Any) -> Callable[[Document, Place, re.Match[str]], None]:
    return lambda document, _, __: put(document, place, copy.deepcopy(value))


def _here(value: Callable[[Any, re.Match[str]], Any]) -> Callable[..., None]:
    def change(document: Document, place: Place, match: re.Match[str]) -> None:
        current = value_at(document, place[:-1])
        written = current.get(place[-1]) if isinstance(current, dict) else current[place[-1]]
        put(document, place, value(written, match))

    return change


def _beside(**keys: Any) -> Callable[[Document, Place, re.Match[str]], None]:
    """Adds keys to the block of the place."""

    def change(document: Document, place: Place, _: re.Match[str]) -> None:
        value_at(document, place[:-1]).update({k.replace("_", "-"): v for k, v in keys.items()})

    return change


def _quoted(value: Any, _: re.Match[str]) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rename(document: Document, place: Place, match: re.Match[str]) -> None:
    block = value_at(document, place[:-1])
    block[match[1]] = block.pop(place[-1])


def _each_alone(document: Document, place: Place, _: re.Match[str]) -> Iterator[Document]:
    """Each of the places of an existing secret, without the others and what belongs to them."""
    belongs = {"name": ("property", "version"), "kubernetes-secret": ("key",), "file": ()}
    for kept, more in belongs.items():
        block = value_at(document, place)
        if kept in block:
            changed = copy.deepcopy(document)
            put(changed, place, {k: v for k, v in block.items() if k in (kept, *more, "encoding")})
            yield changed


def _one_source(document: Document, place: Place, _: re.Match[str]) -> Iterator[Document]:
    block = value_at(document, place)
    for source in ("value", "generate", "external", "existing"):
        if source in block:
            changed = copy.deepcopy(document)
            del value_at(changed, place)[source]
            yield changed


def _store_type(document: Document, _: Place, __: re.Match[str]) -> None:
    put(document, ["store", "type"], "vault")
    put(document, ["store", "vault"], copy.deepcopy(SAMPLES["store.vault"]))


def _enterprise(document: Document, _: Place, __: re.Match[str]) -> None:
    document["edition"] = "enterprise"
    document.get("store", {}).pop("type", None)


def _open_source(document: Document, _: Place, __: re.Match[str]) -> None:
    document["edition"] = "oss"
    del document["secret"]


def _of_enterprise(document: Document, _: Place, match: re.Match[str]) -> None:
    document["secret"] = {"type": match[1], "read-only": True}
    del document["store"]["type"]


def _sources(document: Document, place: Place, _: re.Match[str]) -> Iterator[Document]:
    for name, value in (("value", "a value"), ("generate", {})):
        changed = copy.deepcopy(document)
        put(changed, place[:2], {name: value})
        yield changed


def _type_of_block(document: Document, place: Place, _: re.Match[str]) -> None:
    types = {
        "gcp": "google-secret-manager",
        "aws": "aws-secret-manager",
        "azure": "azure-key-vault",
    }
    put(document, ["store", "type"], types[str(place[-1])])


def _new_name(document: Document, place: Place, _: re.Match[str]) -> None:
    block = value_at(document, place[:-1])
    block["renamed"] = block.pop(place[-1])


def _private_alone(document: Document, place: Place, _: re.Match[str]) -> None:
    block = value_at(document, place[:-1])
    for key in ("allowed-addresses", "allowed-subnet-ids"):
        block.pop(key, None)
    block["private-endpoint"] = SAMPLES["store.azure.private-endpoint"]


def _comment(*_: Any) -> tuple[Document, ...]:
    return ()


_WAYS: tuple[tuple[str, Callable[[Document, Place, re.Match[str]], Any]], ...] = (
    (r"remove (it|the key|the item)( unless.*|: .*| \(.*)?", _remove),
    (r"remove it, and .*", _remove),
    (r"remove kestra:(\S+)", lambda d, _, m: d.__delitem__(m[1])),
    (r"remove that slash", _here(lambda value, _: value.strip("/"))),
    (r"write true or false", _here(lambda *_: True)),
    (r"write it in quotes", _here(_quoted)),
    (r"write for example (\S+)", _here(lambda _, match: match[1])),
    (r"write (a|one) text( in its place)?", _sample),
    (r"(correct it|write one of them|add it(, .*)?|add the key|name (one|a region.*|a key there))", _sample),
    (r"write (a (smaller )?number.*|it as a YAML list|keys under it|the path that is meant)", _sample),
    (r"write (it without.*|the name( alone)?|the whole character|it as it is there|one)", _sample),
    (r"write a (whole number with|duration) .*|round it|shorten it", _sample),
    (r"write (?P<key>property)", lambda d, p, m: _rename(d, p, re.fullmatch("(.*)", m["key"]))),  # type: ignore[arg-type]
    (r"did you mean (\S+)", _rename),
    (r"add kubernetes-secret", _beside(kubernetes_secret="smtp")),
    (r"add name", _beside(name="a")),
    (r"set (?:kestra:)?store\.type( .*|)", _store_type),
    (r"set kestra:store\.type to vault", _store_type),
    (r"keep one of them", _each_alone),
    (r"keep one", _here(lambda value, _: value[:1])),
    (r"rename one of them, .*", _here(lambda value, _: [f"{n}_{i}" for i, n in enumerate(value)])),
    (r"list the names that the team's stack declares", _sample),
    (r"without any remove the team", lambda d, p, _: _remove(d, p[:-1], _)),
    (r"add one of them", lambda d, p, _: put(d, p, {"file": "/mnt/a"})),
    (r"name a kubernetes-secret or a file", lambda d, p, _: put(d, p[:-1], {"file": "/mnt/a"})),
    (r"remove one", _one_source),
    (r"set it", _sample),
    (r"remove them and use private-endpoint", _private_alone),
    (r"remove it, and declare secrets under .*", _remove),
    (r"remove the declaration", lambda d, p, _: _remove(d, p[:2], _)),
    (r"set kestra:edition to enterprise and remove kestra:store\.type", _enterprise),
    (r"set kestra:edition to oss and remove kestra:secret", _open_source),
    (r"set kestra:edition to (oss|enterprise)", lambda d, _, m: d.update(edition=m[1])),
    (r"write kestra:secret with type (\S+) and read-only: true, and remove this", _of_enterprise),
    (r"set it to true", _here(lambda *_: True)),
    (r"write (\d+) or more", _here(lambda _, match: int(match[1]))),
    (r"(add|write) irsa.*", lambda d, *_: put(d, ["identity", "aws"], SAMPLES["identity.aws"])),
    (r"add (oidc-issuer-url|workload-pool), .*", lambda d, p, m: _sample(d, [*p, m[1]], m)),
    (r"name the folder itself", _sample),
    (r"leave regions out .*", lambda d, *_: d["store"]["gcp"].__delitem__("regions")),
    (r"(set value with .*, add generate: \{\}|give value or generate: \{\})", _sources),
    (r"change kestra:store\.type", _type_of_block),
    (r"rename it|rename it or the prefix|shorten or rename it", _new_name),
    (r"let Vault reach the API server", _here(lambda *_: True)),
    (r"leave kestra:store out", lambda d, *_: d.__delitem__("store")),
    (r"leave it out here and name .*", lambda d, p, _: _remove(d, p[:2], _)),
    (r"external: true for .*", lambda d, p, _: put(d, p, {"external": True})),
    (r"(a secret that others made|more folders go under|flows read the secret) .*", _comment),
)  # fmt: skip
