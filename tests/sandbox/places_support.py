"""A planted value in every form and in every kind of place, as those who write there write it."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import sqlite3
import urllib.parse
import zipfile
from collections.abc import Callable
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

VALUE = "plant-Given-01-Zü%\"\\+/=&'Kq81"


def _middle(text: str, between: str) -> str:
    third = len(text) // 3
    return text[:third] + between + text[third : 2 * third] + between + text[2 * third :]


def _base64(value: str, before: bytes = b"") -> str:
    return base64.b64encode(before + value.encode() + b"tail").decode()


#: Form to the text that holds the value in it.
FORMS: dict[str, Callable[[str], str]] = {
    "in clear": lambda v: v,
    "in a sentence": lambda v: f"the password is {v}.",
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64 behind one byte": lambda v: _base64(v, b"x"),
    "base64 behind two bytes": lambda v: _base64(v, b"xy"),
    "base64 of a log-in": lambda v: _base64(v, b"admin@kestra.io:"),
    "base64url": lambda v: base64.urlsafe_b64encode(v.encode()).decode(),
    "base64 of base64": lambda v: _base64(base64.b64encode(v.encode()).decode(), b"{"),
    "base64 in lines": lambda v: base64.encodebytes((v * 3).encode()).decode(),
    "hexadecimal": lambda v: v.encode().hex(),
    "upper hexadecimal": lambda v: v.encode().hex().upper(),
    "hexadecimal with colons": lambda v: v.encode().hex(":"),
    "URL-encoded": lambda v: urllib.parse.quote(v, safe=""),
    "URL-encoded, some of it": lambda v: urllib.parse.quote(v, safe="/+='&"),
    "URL-encoded in lower case": lambda v: urllib.parse.quote(v, safe="").replace("%C3%BC", "%c3%bc"),
    "URL-encoded form": lambda v: urllib.parse.urlencode({"password": v}),
    "URL-encoded base64": lambda v: urllib.parse.quote(_base64(v), safe=""),
    "JSON": lambda v: json.dumps({"v": v}),
    "JSON in JSON": lambda v: json.dumps(json.dumps({"v": v})),
    "JSON with unicode": lambda v: json.dumps({"v": v}, ensure_ascii=False),
    "JSON as Go writes it": lambda v: json.dumps(v).replace("&", "\\u0026"),
    "YAML": lambda v: yaml.safe_dump({"v": v}),
    "YAML, folded": lambda v: yaml.safe_dump({"v": f"{'word ' * 13}{v} {v}"}, width=40, default_style='"'),
    "YAML block": lambda v: yaml.safe_dump({"v": f"{v}\nmore\n"}, default_style="|"),
    "Python": repr,
    "shell": lambda v: "'" + v.replace("'", "'\"'\"'") + "'",
    "HTML": html.escape,
    "cut by a line break": lambda v: _middle(v, "\n"),
    "cut by a line break and indentation": lambda v: _middle(v, "\r\n      "),
    "cut by an escaped line break": lambda v: _middle(v, "\\\n    \\"),
    "cut by quotes": lambda v: _middle(v, '" + "'),
    "cut by a list's commas": lambda v: _middle(v, "', '"),
    "cut by a frame": lambda v: _middle(v, " │\n│ "),
    "cut by colours": lambda v: _middle(v, "\x1b[0m\n\x1b[1;31m"),
    "base64, cut by a frame": lambda v: _middle(_base64(v), " │\n│ "),
    "hexadecimal, cut by a line break": lambda v: _middle(v.encode().hex(), "\n"),
}  # fmt: skip


def _state(text: str) -> bytes:
    resource = {"urn": "urn:pulumi:x", "inputs": {"data": {"a": text}}}
    return json.dumps({"deployment": {"resources": [resource]}}, indent=4).encode()


def _event(text: str) -> bytes:
    return json.dumps({"severity": "error", "message": f"refused: {text}"}).encode() + b"\n"


def _console(text: str) -> bytes:
    out = io.StringIO()
    table = Table("what", "text")
    table.add_column(width=23, overflow="fold")
    console = Console(file=out, width=60, force_terminal=True, markup=False)
    table.add_row("failed", "so", text)
    console.print(table)
    return out.getvalue().encode()


def _log(text: str) -> bytes:
    return f'E1124 15:47:01.1 1 handler.go:1] "Unhandled" err={json.dumps(text)}\n'.encode()


def _html(text: str) -> bytes:
    return f"<html><td>{html.escape(text)}</td></html>".encode()


def _object(text: str) -> bytes:
    applied = json.dumps({"data": {"a": text}})
    metadata = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}}
    return json.dumps({"kind": "ConfigMap", "metadata": metadata}).encode()


def _zip(text: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/b.txt", f"{'nothing ' * 90}{text}")
    return made.getvalue()


def _sqlite(text: str, folder: Path) -> bytes:
    file = folder / "db"
    with sqlite3.connect(file) as database:
        database.execute("create table t (a text)")
        database.execute("insert into t values (?)", (text,))
    database.close()
    return file.read_bytes()


#: Kind of place to what stands in it.
PLACES: dict[str, Callable[[str, Path], bytes]] = {
    "plain file": lambda text, _: b"\0\1\2" + text.encode() + b"\n",
    "state file": lambda text, _: _state(text),
    "compressed state file": lambda text, _: gzip.compress(_state(text)),
    "event log": lambda text, _: _event(text),
    "console": lambda text, _: _console(text),
    "log": lambda text, _: _log(text),
    "rendered file": lambda text, _: yaml.safe_dump({"kestra": {"a": {"b": text}}}).encode(),
    "HTML": lambda text, _: _html(text),
    "/proc/PID/cmdline": lambda text, _: b"java\0-Dpassword=" + text.encode() + b"\0-jar\0",
    "/proc/PID/environ": lambda text, _: b"PATH=/bin\0PASSWORD=" + text.encode() + b"\0",
    "Kubernetes object": lambda text, _: _object(text),
    "Vault's audit log": lambda text, _: json.dumps({"request": {"data": {"a": text}}}).encode(),
    "zip": lambda text, _: _zip(text),
    "zip in gzip": lambda text, _: gzip.compress(_zip(text)),
    "database": _sqlite,
    "UTF-16": lambda text, _: text.encode("utf-16"),
}
