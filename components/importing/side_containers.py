"""Secrets in the commands of init and side containers: they become encrypted variables of the container."""

from __future__ import annotations

from typing import Any

from .conversion import Conversion
from .draft import Place, Value
from .secret_values import asks_for_secret, is_secret_text

_CONTAINERS = ("extra-containers", "init-containers")
_NAME = "IMPORTED_ARGUMENT"


def move_secrets(c: Conversion) -> None:
    """Puts a variable in place of each word of a command that holds a secret: Kubernetes puts its value in there."""
    for place in _containers(c):
        for part in ("command", "args"):
            words = c.draft.at(*place, part)
            for word in _secret_words(words if isinstance(words, list) else []):
                _move(c, place, part, word)
        container = c.draft.at(*place)
        for part in [k for k in container if k == "lifecycle" or k.endswith("Probe")]:
            texts = [str(value.value) for _, value in c.draft.leaves(*place, part)]
            if any(is_secret_text(text) for text in (*texts, " ".join(texts))):
                c.secrets |= {text for text in texts if is_secret_text(text)}
                c.note(
                    "not carried",
                    f"{c.draft.name(place)}.{part}",
                    "it holds a secret, and Kubernetes puts no variable in there",
                    "let it call a script of the image that reads the secret from a variable",
                    c.draft.origin(place),
                )
                c.draft.remove(*place, part)


def _containers(c: Conversion) -> list[Place]:
    """The place of each container."""
    places: dict[Place, None] = {}
    for place, _ in c.draft.leaves("deployment"):
        for i, part in enumerate(place[:-1]):
            if part in _CONTAINERS and isinstance(place[i + 1], int):
                places[place[: i + 2]] = None
    return [place for place in places if isinstance(c.draft.at(*place), dict)]


def _secret_words(words: list[Any]) -> list[Value]:
    result: list[Value] = []
    before = ""
    for word in words:
        if not isinstance(word, Value):
            continue
        text = str(word.value)
        is_value = asks_for_secret(before) and not text.startswith(("-", "$", "/"))
        if is_value or is_secret_text(text):
            result.append(word)
        before = text
    return result


def _move(c: Conversion, place: Place, part: str, word: Value) -> None:
    env = c.draft.at(*place, "env")
    entries = env if isinstance(env, list) else []
    name = f"{_NAME}_{len(entries) + 1}"
    secret = Value(str(word.value), word.origin, is_secret=True)
    c.draft.put((*place, "env"), [*entries, {"name": Value(name, word.origin), "value": secret}])
    c.secrets.add(str(word.value))
    word.value = f"$({name})"
    c.note(
        "changed",
        f"{c.draft.name(place)}.{part}",
        f"a word of it holds a secret, which everybody who may read pods would read; the word is the encrypted variable "
        f"{name} of the container now, and Kubernetes puts it in",
        "change the secret, since it was readable",
        word.origin,
    )
