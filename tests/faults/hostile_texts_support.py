"""Stack files: texts in place of values, and whole files that YAML itself makes dangerous."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.faults.hostile_documents_support import _named, _put
from tests.faults.hostile_keys_support import PLANTED, keys

#: What may stand in the place of a value or of a key, as YAML.
RAW = (
    "yes", "No", "on", "1e3", "0x10", "1_000", "0o17", "010", ".nan", ".inf", "-.Inf", "1:30", "~", "", "!!binary aGk=",
    "!!set {a, b}", "!!omap [a: 1]", "!!timestamp 2020-01-01", "!!python/name:os.system", "!foo x", "&a x", "*a",
    "&a [*a]", "'", '"', "'a''b'", '"\\ud800"', '"\\0"', '"\\x1b[2J"', '"\\u202e"', "{", "}", "[", "]", "{a: 1, a: 2}",
    "%x", "@x", "`x`", "|", ">", "|2-", "- -", "? a", ": b", "2001-01-01", "2001-13-41", "=", "<<", "<<: x", "0b1", "+1",
    "0x" + "f" * 5000, "9" * 5000, "-9223372036854775809", "[[[[]]]]", "a: b: c", "a\n    b: c", "a\n  kestra:tags: {}",
    "a\nconfig: {}", "# x", "a # b", "\t", "\t- a", "\ufeff", "\u2028", "\x85", "é", "\U0001f600", f"{{secure: {PLANTED}}}",
    f"{{secure: [{PLANTED}]}}", f'"{PLANTED}', f"{PLANTED}: {{", "null", "Null", "[]", "{}", "2.0", "'2.0'", "1.30",
)  # fmt: skip
_TOKEN = "zqTokenZq"


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A small stack file in which one or two values or keys are raw text."""
    made: dict[str, Any] = {"server": {"basic-auth": {"username": "a@b.c"}}}
    places = draw(st.lists(st.sampled_from(keys()), min_size=1, max_size=2))
    for i, key in enumerate(places):
        at = _named(draw, key.path)
        if draw(st.integers(0, 3)) == 0:
            at = (*at[:-1], f"{_TOKEN}{i}")
            _put(made, at, "x")
        else:
            _put(made, at, f"{_TOKEN}{i}")
    document = {"config": {f"kestra:{name}": value for name, value in made.items()}}
    text = yaml.safe_dump(document, default_flow_style=draw(st.sampled_from([None, True, False])))
    for i in range(len(places)):
        text = text.replace(f"{_TOKEN}{i}", draw(st.sampled_from(RAW)))
    return draw(st.sampled_from(["", "\ufeff", "%YAML 1.1\n---\n", "# é\n"])) + text


def dangerous() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of whole files."""
    laughs = "a: &a0 [x, x]\n" + _doubled("[{}]")
    merges = "a: &a0 {x: 1, y: 2}\n" + _doubled("{{<<: [{}]}}")
    head = "config:\n  kestra:tags: "
    yield "laughs", f"{laughs}{head}*a9\n".encode()
    yield "merges", f"{merges}{head}*a9\n".encode()
    yield "merge of itself", b"config: &a\n  <<: *a\n"
    yield "alias of itself", b"config: &a\n  kestra:server: *a\n"
    yield "many merges of one", f"a: &a {{x: 1}}\nb: {{<<: [{'*a,' * 20_000}]}}\n{head}1\n".encode()
    for name, opened, closed in (("lists", "[", "]"), ("blocks", "{a: ", "}"), ("keys", "? ", "")):
        yield f"1,000 {name}", f"{head}{opened * 1000}x{closed * 1000}\n".encode()
    yield "100,000 lists", f"{head}{'[' * 100_000}\n".encode()
    yield "a megabyte", f"{head}{{owner: {'x' * 1_000_000}}}\n".encode()
    yield "200 kB", f"{head}{{owner: {'x' * 200_000}}}\n".encode()
    yield "a long key", f"{head}{{{'x' * 900}: 1}}\n".encode()
    yield "a key of 100 kB", f"{head}{{? {'x' * 100_000} : 1}}\n".encode()
    wrong = ",".join("1" * 8_000)
    yield (
        "many wrong items",
        f"config:\n  kestra:server: {{basic-auth: {{open-urls: [{wrong}]}}}}\n".encode(),
    )
    yield (
        "many unknown keys",
        (head + "\n" + "".join(f"    k{i}: 1\n" for i in range(3000))).encode(),
    )
    yield "keys twice", b"config:\n  kestra:tags: {}\n  kestra:tags: {}\n"
    yield "config twice", b"config: {}\nconfig: {}\n"
    yield "with and without namespace", b"config:\n  kestra:tags: {}\n  tags: {}\n"
    yield "two spellings", b"config:\n  kestra:tags: {dataClass: public, data-class: public}\n"
    yield "no text keys", b"config:\n  1: a\n  null: b\n  true: c\n  1.5: d\n  2020-01-01: e\n"
    yield (
        "no text keys within",
        b"config:\n  kestra:tags: {additional: {1: a, null: b, true: c}, 1: x}\n",
    )
    yield "a block as a key", b"config:\n  kestra:tags: {{a: b}: c, [d]: e}\n"
    yield "huge key", b"config:\n  kestra:tags: {? 0x" + b"f" * 5000 + b" : 1}\n"
    yield "huge version", b"config:\n  kestra:version: 0x" + b"f" * 5000 + b"\n"
    yield "no number as a version", b"config:\n  kestra:version: .nan\n"
    yield "empty", b""
    yield "comments", b"# nothing\n"
    yield "null", b"null\n"
    yield "a list", b"- a\n"
    yield "a text", b"a\n"
    yield "config is a list", b"config: [a]\n"
    yield "config is empty", b"config:\n"
    yield "two documents", b"config: {}\n---\nconfig: {}\n"
    yield "no end", b"config: {a: [b, 'c\n"
    yield "tabs", b"config:\n\tkestra:tags: {}\n"
    yield "NUL", b"config:\n  kestra:tags: {owner: a\0b}\n"
    yield "no UTF-8", b"config:\n  kestra:tags: {owner: \xff\xfe}\n"
    yield "UTF-16", "config: {}\n".encode("utf-16")
    yield "Windows", b"\xef\xbb\xbfconfig:\r\n  kestra:server: {basic-auth: {username: a@b.c}}\r\n"
    yield (
        "secrets where YAML breaks",
        f"config:\n  kestra:encryption: {{secret-key: '{PLANTED}\n".encode(),
    )
    yield (
        "a secret twice",
        f"config:\n  kestra:encryption: {{secret-key: {PLANTED}, secret-key: {PLANTED}}}\n".encode(),
    )
    yield (
        "a secret under a tag",
        f"config:\n  kestra:encryption: {{secret-key: !secret {PLANTED}}}\n".encode(),
    )
    yield (
        "a secret as a number",
        b"config:\n  kestra:encryption: {secret-key: !!int plantedZqValue9}\n",
    )


def _doubled(form: str) -> str:
    return "".join(
        f"b{i}: &a{i} {form.format(','.join([f'*a{i - 1}'] * 10))}\n" for i in range(1, 10)
    )
