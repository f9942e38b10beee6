"""What becomes of an installation's variables and placeholders once all inputs are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..settings.credentials import credential_sign
from ..validation.rules.flow_variables import CONFIGURATION_ROOTS
from ..validation.rules.java_options import OPTION_VARIABLES
from . import binding
from .documents import Unreadable, load_documents
from .installation import Missing, Origin, Sourced, Tree, Variable
from .key_tree import (
    KeyPath,
    canonical_steps,
    canonical_tree,
    dotted,
    get,
    leaves,
    merge,
    put,
    remove,
)

if TYPE_CHECKING:
    from .assembly import Assembly

#: Where a template's expression cannot be one that Kestra itself renders.
_NOT_RENDERED = (
    "datasources", "kestra.storage", "kestra.server", "kestra.encryption", "kestra.queue", "kestra.repository",
    "kestra.url", "kestra.secret", "kestra.security", "micronaut.security", "kestra.ee.license",
)  # fmt: skip
#: Texts that another program replaces by a value: SOPS, 1Password, vals, Bank-Vaults, Argo CD's Vault plugin.
_REFERENCE = re.compile(r"ENC\[[A-Z0-9_]+,|op://|ref\+[a-z0-9]+://|vault:[\w/.-]+#|<path:[^>]*>")
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][\w.-]*)(.?)")


def bind_variables(assembly: Assembly, tree: Tree, options: Tree) -> None:
    """Puts the variables that are keys into the tree of files.

    Args:
        assembly: with the variables; those that are keys are taken out.
        tree: of the files that variables win over.
        options: of the files and options that win over variables.
    """
    for name, variable in list(assembly.installation.environment.items()):
        _bind(assembly, name, variable, tree, options)
    for name in OPTION_VARIABLES:
        variable = assembly.installation.environment.get(name)
        if variable is not None and variable.value is not None:
            rest = _without_keys(variable, variable.value, tree)
            assembly.installation.environment[name] = replace(variable, value=rest)


def leave_out(assembly: Assembly) -> None:
    """Takes out what is no key, and keys that have no value; each is named."""
    tree = assembly.installation.configuration
    _ask_for_files(assembly, tree)
    _leave_out_unknown(assembly, tree)
    _leave_out_expressions(assembly, tree)
    _leave_out_missing(assembly, tree)


def _bind(assembly: Assembly, name: str, variable: Variable, tree: Tree, options: Tree) -> None:
    environment = assembly.installation.environment
    if name in binding.LAUNCHER_VARIABLES:
        why, fix = binding.LAUNCHER_VARIABLES[name]
        assembly.note("not carried", name, why, fix, variable.origin)
        del environment[name]
        return
    if name in binding.JSON_VARIABLES:
        _bind_json(assembly, name, variable, tree)
        del environment[name]
        return
    path = binding.key_of(name, tree) or binding.key_of(name, options)
    if path is None:
        return
    there = get(options, path)
    is_named = isinstance(there, Sourced) and f"${{{name}" in str(there.value)
    if variable.value_from is None:
        del environment[name]
        if variable.value is None:
            assembly.unprovided.add(name)
        else:
            _replace_placeholders(name, variable, variable.value, tree, options)
    if there is None:
        _put_variable(assembly, name, variable, path, tree)
    elif not is_named:
        assembly.note(
            "changed",
            name,
            f"a file given with --config wins over variables, so {dotted(path)} was what the file says",
            origin=variable.origin,
        )


def _put_variable(
    assembly: Assembly, name: str, variable: Variable, path: KeyPath, tree: Tree
) -> None:
    environment = assembly.installation.environment
    own = name
    if binding.is_word_of_map(name):
        assembly.note(
            "changed",
            name,
            f"carried as {dotted(path)}; as a variable it set a key of single words, since Kestra reads "
            "kestra.storage as a map",
            origin=variable.origin,
        )
        if name in environment:
            own = name.removeprefix("KESTRA_")
            environment[own] = environment.pop(name)
    # Where its value comes from elsewhere, the variable stays, and the key names it.
    leaf: Any = Sourced(f"${{{own}}}", variable.origin)
    if variable.value is not None:
        leaf = Sourced(variable.value, variable.origin)
        if binding.is_list(path):
            # Micronaut makes a list of a text with commas.
            leaf = [Sourced(item.strip(), variable.origin) for item in variable.value.split(",")]
    put(tree, path, leaf)


def _bind_json(assembly: Assembly, name: str, variable: Variable, tree: Tree) -> None:
    try:
        documents = load_documents(variable.value or "").documents
    except Unreadable as error:
        assembly.note("not carried", name, f"its text {error}", origin=variable.origin)
        return
    for document in documents:
        if isinstance(document, Mapping):
            merge(tree, canonical_tree(document, variable.origin))


def _replace_placeholders(name: str, variable: Variable, value: str, *trees: Tree) -> None:
    """Writes the value of a variable that becomes a key in place of the placeholders that name it."""
    pattern = re.compile(rf"\$\{{{re.escape(name)}(:[^{{}}]*)?\}}")
    for tree in trees:
        for path, leaf in list(leaves(tree)):
            if isinstance(leaf.value, str) and (match := pattern.search(leaf.value)):
                is_alone = match[0] == leaf.value
                text = pattern.sub(lambda _: value, leaf.value)
                put(tree, path, Sourced(text, variable.origin if is_alone else leaf.origin))


def _without_keys(variable: Variable, text: str, tree: Tree) -> str:
    """Java's options without keys of the configuration, which go into the tree: they win over variables."""
    words: list[str] = []
    for word in text.split():
        key, _, value = word.removeprefix("-D").partition("=")
        path = canonical_steps((), key) if word.startswith("-D") and key else ()
        if not path or path[0] not in CONFIGURATION_ROOTS:
            words.append(word)
        elif path[:3] != ("micronaut", "config", "files"):
            put(tree, path, Sourced(value.strip("\"'"), variable.origin))
    return " ".join(words) if len(words) < len(text.split()) else text


def _leave_out_unknown(assembly: Assembly, tree: Tree) -> None:
    """Names variables that look like Kestra's keys and are none, unless a placeholder names them."""
    environment = assembly.installation.environment
    used = _named_variables(assembly, tree)
    for name, variable in list(environment.items()):
        if name in used or name in OPTION_VARIABLES:
            continue
        if binding.root_of(name) in ("kestra", "datasources"):
            why, fix = binding.why_no_key(name)
            assembly.note("not carried", name, why, fix, variable.origin)
            del environment[name]


def _named_variables(assembly: Assembly, tree: Tree) -> set[str]:
    """Variables that placeholders name."""
    variables = assembly.installation.environment.values()
    texts = [leaf.value for _, leaf in leaves(tree)] + [v.value for v in variables]
    return {
        name for text in texts if isinstance(text, str) for name, _ in _PLACEHOLDER.findall(text)
    }


def _ask_for_files(assembly: Assembly, tree: Tree) -> None:
    """Variables that name a file with a secret (`…_PASSWORD_FILE`): Kestra reads none, so the value is to be set."""
    installation = assembly.installation
    used = _named_variables(assembly, tree)
    for name, variable in list(installation.environment.items()):
        own = binding.variable_of_file(name)
        if not own or name in used or variable.value_from is not None:
            continue
        path = binding.key_of(own, tree)
        is_set = own in installation.environment or (path and get(tree, path) is not None)
        if own.startswith("SECRET_"):
            missing = Variable(variable.origin)
            installation.declared_secrets.setdefault(own.removeprefix("SECRET_"), missing)
        elif path is None and not (
            binding.is_path(variable.value) and credential_sign(own, "x9-Any-Secret")
        ):
            continue
        elif not is_set and own not in used:
            why = f"its value is in a file that {name} names, and no input has it"
            place = path or ("deployment", "environment", own)
            installation.missing.append(Missing(place, (name,), variable.origin, why))
        del installation.environment[name]
        assembly.note(
            "not carried",
            name,
            f"Kestra reads no file by a variable of this name; {own} itself, or a placeholder, is needed"
            + (", and is there" if is_set else ""),
            "" if is_set else 'the value is under "To set"',
            variable.origin,
        )


def _leave_out_expressions(assembly: Assembly, tree: Tree) -> None:
    """Leaves out what another program would have replaced by a value."""
    for path, leaf in list(leaves(tree)):
        key = dotted(path)
        if why := _why_no_value(key, leaf.value):
            fix = f"set kestra:{key.removeprefix('kestra.')} once the value is known"
            assembly.note("not carried", key, why, fix, leaf.origin)
            _miss(assembly, tree, path, (), leaf.origin)
    environment = assembly.installation.environment
    for name, variable in environment.items():
        if why := _why_no_value("", variable.value):
            assembly.note("not carried", name, why, origin=variable.origin)
            environment[name] = replace(variable, value=None)


def _why_no_value(key: str, value: Any) -> str:
    """Why a text is no value, but what another program replaces by one; empty where it is a value."""
    if not isinstance(value, str):
        return ""
    if _REFERENCE.match(value):
        return "holds a reference to, or an encrypted text of, another program (SOPS, 1Password, vals), and no value"
    is_rendered = any(key == root or key.startswith(f"{root}.") for root in _NOT_RENDERED)
    if is_rendered and (_encloses(value, "{{", "}}") or _encloses(value, "{%", "%}")):
        return "holds an expression of a template that nobody rendered, and no value"
    return ""


def _encloses(text: str, start: str, end: str) -> bool:
    position = text.find(start)
    return position >= 0 and text.find(end, position + 2) >= 0


def _leave_out_missing(assembly: Assembly, tree: Tree) -> None:
    """Leaves out keys whose placeholders nothing can resolve: their names are known, their values are not."""
    environment = assembly.installation.environment
    nameless = {n for n, v in environment.items() if v.value is None and v.value_from is None}
    nameless |= {name for name in assembly.unprovided if name not in environment}
    for path, leaf in list(leaves(tree)):
        if not isinstance(leaf.value, str):
            continue
        # A placeholder with a default has a value all the same.
        names = [n for n, end in _PLACEHOLDER.findall(leaf.value) if n in nameless and end == "}"]
        if names:
            _miss(assembly, tree, path, tuple(dict.fromkeys(names)), leaf.origin)


def _miss(
    assembly: Assembly, tree: Tree, path: KeyPath, names: tuple[str, ...], origin: Origin
) -> None:
    if isinstance(path[-1], int):
        # An item of a list has no setting of its own.
        return
    assembly.installation.missing.append(Missing(path, names, origin))
    remove(tree, path)
