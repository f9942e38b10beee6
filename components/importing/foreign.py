"""Inputs of kinds that are not read: what each is, and how to get to one that is read."""

from __future__ import annotations

import re

from .readers import Part

_BY_SUFFIX = {
    ".nix": ("a Nix expression", "give the unit and the application.yaml that it makes on the machine"),
    ".tf": ("Terraform code", "give the rendered files, or the values of the chart from `helm get values`"),
    ".hcl": ("HCL", "give the files that it renders"),
    ".tfvars": ("variables of Terraform", "give the rendered files"),
    ".tfstate": ("a state of Terraform", "give the rendered files"),
    ".j2": (
        "a Jinja template",
        "render it first (ansible -m template), or give the file of the machine",
    ),
    ".jinja": ("a Jinja template", "render it first, or give the file of the machine"),
    ".jinja2": ("a Jinja template", "render it first, or give the file of the machine"),
    ".tpl": ("a template", "give the rendered file"),
    ".tmpl": ("a template", "give the rendered file"),
    ".tftpl": ("a template of Terraform", "give the rendered file"),
    ".gotmpl": ("a Go template", "give the rendered file"),
    ".erb": ("a Ruby template", "give the rendered file"),
    ".sh": ("a shell script", "write its `docker run` as a compose file, and give that"),
    ".bash": ("a shell script", "write its `docker run` as a compose file, and give that"),
    ".ps1": ("a PowerShell script", "write its `docker run` as a compose file, and give that"),
    ".bat": ("a batch file", "write its `docker run` as a compose file, and give that"),
    ".cmd": ("a batch file", "write its `docker run` as a compose file, and give that"),
    ".py": ("a Python program", "give the configuration that it makes"),
    ".ts": ("a TypeScript program", "give the configuration that it makes"),
    ".js": ("a JavaScript program", "give the configuration that it makes"),
    ".go": ("a Go program", "give the configuration that it makes"),
    ".toml": ("TOML", "give an application.yaml"),
    ".ini": ("an INI file", "give an application.yaml"),
    ".md": ("a text", ""),
    ".txt": ("a text", ""),
    ".log": ("a log", ""),
    ".jks": ("a key store", "put it into a Secret, and mount it with kestra:deployment.extra-volumes"),
    ".p12": ("a key store", "put it into a Secret, and mount it with kestra:deployment.extra-volumes"),
    ".pem": ("a certificate or key", "put it into a Secret, and mount it with kestra:deployment.extra-volumes"),
    ".crt": ("a certificate", "put it into a Secret, and mount it with kestra:deployment.extra-volumes"),
    ".key": ("a key", "put it into a Secret, and mount it with kestra:deployment.extra-volumes"),
    ".jar": ("a Java archive", "build it into an image, and name that under kestra:deployment.image"),
    ".sql": ("SQL", ""),
    ".gz": ("an archive", "unpack it first"),
    ".tgz": ("an archive", "unpack it first, or give its values.yaml"),
    ".zip": ("an archive", "unpack it first"),
    ".tar": ("an archive", "unpack it first"),
    ".png": ("an image file", ""),
    ".jpg": ("an image file", ""),
}  # fmt: skip
_DOCKER_RUN = re.compile(r"(?m)^\s*(sudo\s+)?(docker|podman|nerdctl)\s+(container\s+)?run\b")
_TEMPLATE = re.compile(r"\{\{|\{%|<%|%\{\s*(if|for)\b")


def is_foreign(name: str) -> bool:
    """Whether a file is of such a kind by its name alone."""
    return _suffix(name) in _BY_SUFFIX or _is_dockerfile(name)


def foreign_kind(part: Part) -> tuple[str, str] | None:
    """What an input is that no reader recognizes, and what to give instead; None where that is not known."""
    line = _line_of(_TEMPLATE, part.text)
    at = f", with template syntax at line {line}" if line and part.document is None else ""
    if _is_dockerfile(part.file):
        return "a Dockerfile", "name the image that it builds under kestra:deployment.image"
    if _suffix(part.file) in _BY_SUFFIX:
        kind, fix = _BY_SUFFIX[_suffix(part.file)]
        return f"{kind}{at}", fix
    if part.text.startswith("$ANSIBLE_VAULT"):
        return (
            "a file encrypted by Ansible Vault",
            "decrypt a copy with ansible-vault, and give that",
        )
    if _DOCKER_RUN.search(part.text) and part.document is None:
        return "a script with `docker run`", "write it as a compose file, and give that"
    if part.document is None and re.search(
        r"(?m)^\[(Unit|Service|Install|Container)\]\s*$", part.text
    ):
        return "a unit of systemd that does not start Kestra", ""
    if part.text.startswith("#!"):
        return "a script", "give the configuration files themselves"
    if part.document is None and line:
        return f"a template, no YAML{at}", "render it first, or give the file of the machine"
    return _of_document(part)


def _of_document(part: Part) -> tuple[str, str] | None:
    document = part.document
    if not isinstance(document, dict):
        if isinstance(document, list) and all(
            isinstance(d, dict) and {"hosts", "tasks", "name"} & set(d) for d in document
        ):
            return "a playbook or a task file of Ansible", "give the files that it renders"
        return None
    if (
        "id" in document
        and "namespace" in document
        and ("tasks" in document or "triggers" in document)
    ):
        return (
            "a flow of Kestra's",
            "flows are in the database, or are deployed with the CI of your flows; they are no configuration",
        )
    if "jobs" in document and {"on", "true"} & set(document):
        return "a workflow of GitHub", ""
    if "sops" in document:
        return "a file encrypted by SOPS", "decrypt a copy with sops, and give that"
    return None


def _line_of(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.search(text)
    return text.count("\n", 0, match.start()) + 1 if match else 0


def _suffix(name: str) -> str:
    last = name.replace("\\", "/").rsplit("/", 1)[-1].lower()
    return f".{last.rpartition('.')[2]}" if "." in last.lstrip(".") else ""


def _is_dockerfile(name: str) -> bool:
    last = name.replace("\\", "/").rsplit("/", 1)[-1].lower()
    return last.startswith(("dockerfile", "containerfile")) or last.endswith(".dockerfile")
