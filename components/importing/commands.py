"""Commands that start Kestra: of a container, a unit or a shell script, read into options.

Options are those of `kestra server` 1.3 and 2.0 (picocli: `--port 80`, `--port=80`, `-c FILE`, `-cFILE`).
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

COMPONENTS = ("standalone", "webserver", "executor", "scheduler", "indexer", "worker", "controller")
_SHELL = re.compile(r"(.*/)?(ba|da|a|z|k)?sh")
_SHELL_COMMAND = re.compile(r"-[a-z]*c[a-z]*")
_VARIABLE = re.compile(r"\$[({]?(\w+)(?::?-([^{}]*))?[)}]?")
_POSITION = re.compile(r"\$\{?(\d)\}?")
_BREAKS = frozenset(("&&", "||", ";", "|", "&", "(", ")", "\n"))
_REDIRECTION = re.compile(r"\d*(>>?|<)(&?\d*|.*)")
_PROGRAM = re.compile(
    r"(.*/)?kestra([-_.]?v?(?P<release>\d+\.\d+(\.\d+)?([-.]?rc\d*)?))?[^/]*(\.jar)?"
)
_LONGEST = 20_000
_JAVA = re.compile(r"(.*/)?java")
#: Options with a value, in every spelling, to one name.
_WITH_VALUE = {
    "--worker-thread": "threads", "--worker-threads": "threads", "-t": "threads", "--thread": "threads",
    "-c": "config", "--config": "config", "--port": "port", "-f": "flows", "--flow-path": "flows",
    "-p": "plugins", "--plugins": "plugins", "--worker-group": "group", "-g": "group",
    "-l": "keep", "--log-level": "keep", "--skip-executions": "keep", "--skip-flows": "keep",
    "--skip-namespaces": "keep", "--skip-tenants": "keep", "--skip-indexer-records": "keep", "--tenant": "keep",
    "--start-executors": "keep", "--not-start-executors": "keep",
}  # fmt: skip


@dataclass
class Command:
    """What a command says."""

    component: str = ""
    """The server component; empty where the command starts none."""
    threads: int | None = None
    port: int | None = None
    worker_group: str = ""
    config_files: list[str] = field(default_factory=list)
    """Files of `--config`."""
    system_files: list[str] = field(default_factory=list)
    """Files of `-Dmicronaut.config.files`."""
    arguments: list[str] = field(default_factory=list)
    """Options that stay arguments, each with its value."""
    java_options: list[str] = field(default_factory=list, repr=False)
    release: str = ""
    """The release in the program's name: `1.3.8`."""
    lost: list[tuple[str, str, str]] = field(default_factory=list)
    """Part, reason and fix of what cannot be kept."""
    variables: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    """Of the process."""
    dropped_words: bool = False
    """Whether `sh -c` runs the program's name alone, and its words only look like arguments of it."""


def parse_command(
    words: Sequence[str], variables: Mapping[str, str | None] | None = None
) -> Command:
    """Reads the words of a command, the entry point's among them; a text with spaces is split as a shell does.

    Args:
        words: of the command.
        variables: of its process, for `--worker-thread=$THREADS` and `$(THREADS)`.
    """
    command = Command(variables=variables or {})
    words = [str(word) for word in words]
    script = _script(words)
    statements = [_words_of(words)] if script is None else _of_script(*script, command)
    rest: list[list[str]] = []
    for statement in statements:
        if not command.component and _starts_server(statement):
            _read(statement, command)
        elif statement:
            rest.append(statement)
    _note_rest(rest, command)
    return command


def split_words(text: str) -> list[str]:
    """A text as words, with quotes; as it is where its quotes do not match."""
    try:
        # Python's splitter takes the square of the length.
        return shlex.split(text) if len(text) < _LONGEST else text.split()
    except ValueError:
        return text.split()


def _words_of(words: list[str]) -> list[str]:
    if len(words) == 1:
        return split_words(words[0])
    return words


def _script(words: list[str]) -> tuple[str, list[str]] | None:
    """The script of `sh -c script` and the words behind it; the shell may be the entry point and is then not there."""
    if len(words) == 1:
        parts = split_words(words[0])
        if len(parts) > 2 and _SHELL.fullmatch(parts[0]):
            words = parts
        elif re.search(r"&&|;|\n", words[0]):
            return words[0], []
    for index, word in enumerate(words[:-1]):
        if not _SHELL_COMMAND.fullmatch(word) or not (index == 0 or _is_shell(words[:index])):
            continue
        rest = words[index + 1 :]
        if rest[0] == "--" and len(rest) > 1:
            rest = rest[1:]
        # Without a shell it may be Kestra's own -c.
        return (rest[0], rest[1:]) if index or " " in rest[0] else None
    return None


def _is_shell(words: Sequence[str]) -> bool:
    """Whether words end in a shell and its options: `tini -- bash -e -o pipefail`."""
    shell = next((i for i, word in enumerate(words) if _SHELL.fullmatch(word)), None)
    return shell is not None and all(
        word.startswith(("-", "+")) or before in ("-o", "+o") or re.fullmatch(r"-[a-z]*o", before)
        for before, word in itertools.pairwise(words[shell:])
    )


def _of_script(script: str, arguments: Sequence[str], command: Command) -> list[list[str]]:
    """The statements of a script. Words behind it are its `$0`, `$1` …, and nothing else reads them."""
    statements = [_with_arguments(words, arguments) for words in _statements(script)]
    dropped = list(arguments)
    if dropped and not re.search(r"\$\{?[@*\d]", script):
        whole = [*split_words(script), *dropped]
        starts = any(_starts_server(s) and set(s) & {"local", *COMPONENTS} for s in statements)
        is_meant = not starts and _starts_server(whole)
        command.dropped_words = is_meant
        if is_meant:
            return [whole]
        options = [word.partition("=")[0] for word in dropped if word.startswith("-")]
        command.lost += [
            (
                option,
                "it stands behind the script of `sh -c`, so the shell took it and Kestra never got it",
                "set what it means by hand if it was meant for Kestra",
            )
            for option in options
            if re.fullmatch(r"--?[a-z][a-z-]*", option)
        ]
    return statements


def _with_arguments(words: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Words of a script with its arguments put in: `"$@"`, `$0`, `${1}`."""
    result: list[str] = []
    for word in words:
        if word in ("$@", "$*", "${@}", "${*}"):
            result += arguments[1:]
        elif (match := _POSITION.fullmatch(word)) and int(match[1]) < len(arguments):
            result.append(arguments[int(match[1])])
        else:
            result.append(word)
    return result


def _statements(script: str) -> list[list[str]]:
    statements: list[list[str]] = [[]]
    text = re.sub(r"\\\n", " ", script)
    for line in text.split("\n"):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        try:
            tokens = list(lexer) if len(line) < _LONGEST else line.split()
        except ValueError:
            tokens = line.split("#")[0].split()
        for token in tokens:
            if token in _BREAKS:
                statements.append([])
            else:
                statements[-1].append(token)
        statements.append([])
    return [statement for statement in statements if statement]


def _starts_server(words: Sequence[str]) -> bool:
    return any(
        word == "server" and (i + 1 == len(words) or not words[i + 1].startswith("/"))
        for i, word in enumerate(words)
    )


def _read(words: list[str], command: Command) -> None:
    at = words.index("server")
    _read_program(words[:at], command)
    rest = [w for w in words[at + 1 :] if not _REDIRECTION.fullmatch(w)]
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            _read_name(word, command)
            continue
        name, has_value, value = word.partition("=")
        if name not in _WITH_VALUE and re.fullmatch(r"-[cpftgl][^-=].*", word):
            name, has_value, value = word[:2], "=", word[2:].removeprefix("=")
        meaning = _WITH_VALUE.get(name)
        if meaning is None:
            command.arguments.append(word)
            continue
        if not has_value:
            value = rest.pop(0) if rest else ""
        _read_option(meaning, name, value, command)


def _read_name(word: str, command: Command) -> None:
    if command.component:
        return
    if word == "local":
        command.component = "standalone"
        command.lost.append(
            (
                "server local",
                "runs without a database of its own and keeps its data in files of that machine",
                "set kestra:datasources, kestra:queue and kestra:repository; flows must be deployed again",
            )
        )
    elif word in COMPONENTS:
        command.component = word


def _read_option(meaning: str, name: str, value: str, command: Command) -> None:
    if meaning == "keep":
        command.arguments.append(f"{name}={value}")
    elif meaning == "config":
        command.config_files.append(value)
    elif meaning in ("threads", "port"):
        if reference := _VARIABLE.fullmatch(value):
            value = command.variables.get(reference[1]) or reference[2] or value
        if value.isascii() and value.isdigit() and len(value) < 6:
            setattr(command, meaning, int(value))
        else:
            command.lost.append(
                (name, "its value is no number here", f"set the value of {name} by hand")
            )
    elif meaning == "group":
        command.worker_group = value
    elif meaning == "flows":
        command.lost.append(
            (
                f"{name} {value}",
                f"{value} is a folder of that machine; its flows are in the database already, or must be deployed",
                "deploy them with kestractl, the CI of your flows, or the API",
            )
        )
    elif meaning == "plugins":
        command.lost.append(
            (
                f"{name} {value}",
                "plugins of a folder of that machine; in a cluster they are part of the image",
                "build an image with the plugins, and name it under kestra:deployment.image",
            )
        )


def _read_program(words: Sequence[str], command: Command) -> None:
    """What stands before `server`: `java -Xmx2g -jar kestra-1.3.8.jar`, `exec /app/kestra`, `NAME=value kestra`."""
    options: list[str] = []
    java = False
    for word in words:
        if _JAVA.fullmatch(word):
            java = True
        elif word.startswith("-") and java and word not in ("-jar", "-cp", "-classpath"):
            options.append(word)
        elif match := _PROGRAM.fullmatch(word):
            command.release = match["release"] or command.release
    for option in options:
        name, _, value = option.partition("=")
        if name == "-Dmicronaut.config.files":
            command.system_files += value.split(",")
        elif not re.match(r"\$\{?JAVA_\w*OPTS", option):
            command.java_options.append(option)


def _note_rest(statements: Sequence[Sequence[str]], command: Command) -> None:
    if not command.component:
        return
    others = False
    for statement in statements:
        if "plugins" in statement and "install" in statement:
            command.lost.append(
                (
                    "plugins install",
                    "plugins are installed when the container starts; the pods' file systems are read-only",
                    "build an image with the plugins, and name it under kestra:deployment.image",
                )
            )
        elif statement[0] not in ("set", "exec", "wait", "true", "cd", "echo", "export"):
            others = True
    if others:
        command.lost.append(
            (
                "the start script",
                "runs other programs besides Kestra's server; the stack starts only the server",
                "put what they do into an image or kestra:deployment.init-containers",
            )
        )
