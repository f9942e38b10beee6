"""Keys of Kestra's that mean something else here, or that this stack does better without."""

from __future__ import annotations

import re

from ..policy_tables import Image
from ..settings.base import kebab
from ..settings.deployment import DEFAULT_TAGS
from ..validation.rules.deployment import MOVING_TAGS
from ..validation.schema import config_path
from . import addresses
from .conversion import Conversion, set_command, shown
from .draft import Place, Value

TAG = ("deployment", "image", "tag")
_LOG_IN = "set kestra:endpoints.all.basic-auth.username for a log-in of the endpoints"
#: Keys of Kestra's that hold folders of the machine.
_FOLDERS: tuple[Place, ...] = (
    ("micronaut", "io", "watch", "paths"),
    ("local-files", "allowed-paths"),
    ("tasks", "tmp-dir", "path"),
)


def convert(conversion: Conversion) -> None:
    """What is written otherwise, or left out."""
    for step in (
        _image,
        addresses.convert,
        _storage,
        _endpoints,
        _server,
        _renamed,
        _prefix,
        _controllers,
        _claim,
        _folders,
        _deprecated,
        _map_names,
    ):
        step(conversion)


def remark(conversion: Conversion) -> None:
    """What a person has to know of settings that are carried."""
    for step in (_volume, _edge, _memory, _ports, _clear_connections):
        step(conversion)


def _image(c: Conversion) -> None:
    tag = c.draft.text(*TAG)
    if tag is None or "$" in tag:
        return
    repository = c.draft.text("deployment", "image", "repository") or "kestra/kestra"
    if not Image(repository, tag, "").has_release_tag:
        _own_image(c, tag)
        return
    version = str(c.draft.text("version"))
    release = re.match(r"v?(\d+)\.(\d+)", tag)
    if MOVING_TAGS.fullmatch(tag) and c.draft.at("deployment", "image", "digest") is not None:
        c.drop(
            TAG,
            f"{tag} is a tag that moves; the digest beside it decides what runs, and is kept",
            "write the release of the digest as the tag, so that known holes are looked for",
        )
    elif MOVING_TAGS.fullmatch(tag):
        pinned = DEFAULT_TAGS[version] + ("-no-plugins" if tag.endswith("-no-plugins") else "")
        c.changed(
            TAG, f"{tag} is a tag that moves; {pinned} is written instead", "choose a release"
        )
        c.draft.put(TAG, Value(pinned, comment=f"chosen: {tag} moves"))
    elif release and (int(release[1]), int(release[2])) < (1, 3):
        c.drop(
            TAG,
            f"{tag} is older than 1.3, the first version that this program renders for; {DEFAULT_TAGS[version]} is "
            "what the stack would run",
            "upgrade the running installation to 1.3 first, by Kestra's migration guides",
        )
    elif release and re.fullmatch(r"v?\d+\.\d+(-[a-z-]+)?", tag):
        c.changed(
            TAG, f"{tag} names no patch release, so the tag moves; it is kept", "name a release"
        )


#: Maps of Kestra's and Micronaut's whose names Micronaut writes with hyphens when it binds them, and who reads them.
_HYPHENATED: dict[Place, str] = {
    ("variables", "globals"): "flows read it as {{{{ globals['{name}'] }}}}",
    ("metrics", "tags"): "the tag of the metrics is {name}",
    ("micronaut", "metrics", "tags"): "the tag of the metrics is {name}",
}


def _map_names(c: Conversion) -> None:
    """Names in camelCase that Micronaut changes: what is carried stays as it was, and reads as it did."""
    for place, meaning in _HYPHENATED.items():
        for name in c.draft.keys(*place):
            if re.fullmatch(r"\w*[a-z0-9][A-Z]\w*", name):
                c.changed(
                    (*place, name),
                    f"carried as written; Micronaut reads {name} as {kebab(name)}, here as in the old installation: "
                    + meaning.format(name=kebab(name)),
                )


def _own_image(c: Conversion, tag: str) -> None:
    """An image that somebody built: its tag is no release of Kestra's."""
    if MOVING_TAGS.fullmatch(tag) and c.draft.at("deployment", "image", "digest") is None:
        why = f"{tag} is a tag that moves, of an image of your own"
        c.drop(TAG, f"{why}; left out", "name the tag or the digest of one build")
        c.ask(TAG, f"{why}; the tag of one build is needed")
    version = c.draft.at("version")
    if isinstance(version, Value) and version.origin is None:
        c.note(
            "changed",
            "kestra.version",
            f"the image is one of your own, whose tag does not say which Kestra is in it; {version.value} is taken",
            "set kestra:version if it is another; Kestra before 1.3 is to be upgraded first",
            c.draft.origin(("deployment", "image")),
        )


def _storage(c: Conversion) -> None:
    place: Place = ("storage", "local", "base-path")
    path = c.draft.text(*place)
    if path and not path.startswith(("/", "$")) and re.fullmatch(r"[\w./-]+", path):
        absolute = "/" + path.removeprefix("./")
        c.changed(
            place,
            f"{path} is relative; {absolute} is written instead",
            "check where the files were",
        )
        c.draft.put(place, Value(absolute, c.draft.origin(place)))


_OPEN_ENDPOINTS = (
    "env",
    "beans",
    "routes",
    "threaddump",
    "flyway",
    "worker",
    "scheduler",
    "refresh",
    "stop",
    "caches",
)


def _endpoints(c: Conversion) -> None:
    draft = c.draft
    if draft.at("endpoints", "all", "basic-auth") is not None:
        return
    if _is_false(draft.at("endpoints", "all", "sensitive")):
        c.drop(
            ("endpoints", "all", "sensitive"),
            "sensitive: false opened every management endpoint to everybody who reaches the port; they are closed",
            _LOG_IN,
        )
    for name in _OPEN_ENDPOINTS:
        place: Place = ("endpoints", name)
        block = draft.at(*place)
        if isinstance(block, dict) and not _is_false(block.get("enabled")):
            c.drop(
                place,
                f"/{name} shows or changes the inside of Kestra to everybody on the port; left out",
                _LOG_IN,
            )
    if draft.text("endpoints", "health", "details-visible") == "ANONYMOUS":
        c.drop(
            ("endpoints", "health", "details-visible"),
            "ANONYMOUS shows the details of /health to everybody on the port; left out",
            _LOG_IN,
        )


def _is_false(value: object) -> bool:
    return isinstance(value, Value) and str(value.value).lower() == "false"


def _server(c: Conversion) -> None:
    urls = c.draft.at("server", "basic-auth", "open-urls")
    for value in urls if isinstance(urls, list) else [urls]:
        text = str(value.value) if isinstance(value, Value) else ""
        new = re.sub(r"^/api/v1/(?!main/)(?=executions|webhooks?\b)", "/api/v1/main/", text)
        if new != text:
            c.changed(
                ("server", "basic-auth", "open-urls"),
                f"{text} opens nothing since tenants are mandatory; {new} is written instead"
                if re.fullmatch(r"[\w/.-]+", text)
                else "an old path of webhooks opens nothing; /api/v1/main/ is written into it",
            )
            value.value = new
    host: Place = ("micronaut", "server", "host")
    if isinstance(bound := c.draft.at(*host), Value):
        c.drop(
            host,
            f"bound to {shown(bound.value) or 'one address'}, where no probe and no Service reaches the pod; left out",
        )
    if c.draft.at("heartbeat") is not None:
        c.drop(
            ("heartbeat",),
            "nothing reads kestra.heartbeat since 0.16; left out",
            "kestra:server.liveness has its meaning",
        )


def _renamed(c: Conversion) -> None:
    draft = c.draft
    if (old := draft.at("tasks", "defaults")) is None:
        return
    if draft.at("plugins", "defaults") is not None:
        c.drop(("tasks", "defaults"), "left out: kestra.plugins.defaults is there too, and is read")
        return
    c.changed(
        ("tasks", "defaults"), "deprecated for kestra.plugins.defaults; carried under its new name"
    )
    draft.remove("tasks", "defaults")
    draft.put(("plugins", "defaults"), old)


def _prefix(c: Conversion) -> None:
    place: Place = ("variables", "env-vars-prefix")
    if c.draft.at(*place) is not None and not c.draft.text(*place):
        c.drop(
            place,
            "an empty env-vars-prefix shows every environment variable, secrets included, to every flow; left out, so "
            "that ENV_ holds",
            "flows that read other variables need them under names that begin with ENV_",
        )


def _controllers(c: Conversion) -> None:
    place: Place = ("worker", "controllers")
    if c.draft.at(*place) is None or c.draft.text("deployment", "mode") != "distributed":
        return
    hosts = [
        str(v.value)
        for p, v in c.draft.leaves(*place)
        if p[-1] == "host" and re.fullmatch(r"[\w.-]+", str(v.value))
    ]
    named = f" ({', '.join(hosts)})" if hosts else ""
    c.drop(
        place, f"names the controller of the old installation{named}; this program makes its own"
    )


def _volume(c: Conversion) -> None:
    if (
        c.draft.text("storage", "type") == "local"
        and c.draft.at("deployment", "storage-volume") is None
    ):
        c.changed(
            ("storage", "type"),
            "local storage: the files lay in a volume or folder of the old installation, and here they live as long "
            "as the pod unless kestra:deployment.storage-volume.size is given; the files themselves are to be copied",
            "set it (pulumi config set --path kestra:deployment.storage-volume.size 20Gi), or move to an object store; "
            "several pods need a volume that all of them can mount, or an object store",
        )


def _edge(c: Conversion) -> None:
    allowed = ("deployment", "network-policy", "ingress-namespace")
    if c.draft.at("deployment", "ingress") is None:
        if c.draft.at("deployment", "http-route") is None and not _named(c, "deployment.ingress"):
            c.note(
                "changed",
                "the way to Kestra",
                "the inputs have no Ingress and no HTTPRoute, so nothing outside of the cluster reaches Kestra",
                "set kestra:deployment.ingress or kestra:deployment.http-route (docs/network.md)",
            )
        return
    if c.draft.at(*allowed) is not None:
        return
    c.note(
        "changed",
        "network of the Ingress",
        "the stack's network policies open the web port to pods of Kestra's own namespace alone, and an ingress "
        "controller is in another one as a rule",
        f"name its namespace: {set_command(config_path(allowed), secret=False)}",
    )


def _named(c: Conversion, setting: str) -> bool:
    return any(setting in note.fix for note in c.notes)


def _memory(c: Conversion) -> None:
    for key in ("queue", "repository"):
        kind = c.draft.text(key, "type")
        if kind in ("h2", "memory"):
            c.changed(
                (key, "type"),
                f"{kind} is carried: it lives in the process, so a new pod begins with nothing unless a file of the old "
                "one is there",
                "move to postgres for what is to stay",
            )


def _ports(c: Conversion) -> None:
    if _is_false(c.draft.at("endpoints", "prometheus", "sensitive")):
        c.changed(
            ("endpoints", "prometheus", "sensitive"),
            "carried: whoever reaches the management port reads /prometheus without a log-in",
            _LOG_IN,
        )
    if isinstance(port := c.draft.at("endpoints", "all", "port"), Value):
        c.changed(
            ("endpoints", "all", "port"),
            f"{shown(port.value)} is carried; probes and network policies follow it",
        )
    place: Place = ("micronaut", "server", "port")
    if isinstance(port := c.draft.at(*place), Value):
        c.changed(
            place,
            f"{shown(port.value)} is carried; Services, probes and network policies follow it",
        )


def _clear_connections(c: Conversion) -> None:
    address = c.draft.text("secret", "vault", "address") or ""
    if address.startswith("http://"):
        c.changed(
            ("secret", "vault", "address"),
            "http: the log-in and every secret would travel in clear, and the host must be one that the pods reach",
            "give an https:// address",
        )
    for key in ("elasticsearch", "opensearch"):
        place: Place = (key, "client", "trust-all-ssl")
        value = c.draft.at(*place)
        if isinstance(value, Value) and not _is_false(value):
            c.changed(
                place,
                "carried: any certificate is trusted",
                "use the authority's certificate instead",
            )


def _claim(c: Conversion) -> None:
    """A claim whose size is known: the stack makes one like it, which needs neither the namespace nor the old one."""
    volume: Place = ("deployment", "storage-volume")
    claim = c.draft.text(*volume, "existing-claim")
    if claim is None or c.draft.at(*volume, "size") is None:
        return
    named = f"PersistentVolumeClaim {claim}"
    c.notes = [note for note in c.notes if note.what != named]
    c.note(
        "not carried",
        named,
        "the stack makes a claim of its own of that size and class; the old one stays, and its files are to be copied",
        "to mount the old one instead, in the same namespace: kestra:deployment.storage-volume.existing-claim in place "
        "of size and class-name",
        c.draft.origin((*volume, "existing-claim")),
    )
    c.draft.remove(*volume, "existing-claim")


def _folders(c: Conversion) -> None:
    mounts = [
        str(value.value)
        for place, value in c.draft.leaves("deployment")
        if place[-1] in ("mountPath", "mount-path") and value.value
    ]
    for place in _FOLDERS:
        for _, value in c.draft.leaves(*place):
            path = str(value.value)
            if (
                not path.startswith("/")
                or path.split("/")[1] == "tmp"
                or not re.fullmatch(r"[\w./-]+", path)
            ):
                continue
            if not any(path == m or path.startswith(m.rstrip("/") + "/") for m in mounts):
                c.note(
                    "not carried",
                    f"{c.draft.name(place)} {path}",
                    "a folder of that machine: in the pods it is not there, nor writable, without a volume",
                    "add kestra:deployment.extra-volumes and extra-volume-mounts",
                    value.origin,
                )


def _deprecated(c: Conversion) -> None:
    old = [key for key in ("templates", "listeners") if c.draft.at(key) is not None]
    if old:
        names = ", ".join(f"kestra.{key}" for key in old)
        c.note("changed", names, "deprecated since 0.11, and 2.0 has no templates")
    place: Place = ("tasks", "scripts", "docker", "volume-enabled")
    if c.draft.at(*place) is not None:
        c.changed(
            place,
            "volume-enabled is deprecated for kestra.plugins.configurations, and has no use without a Docker daemon",
        )
