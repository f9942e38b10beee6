"""Options of the Java virtual machine that runs Kestra, the share of memory for its heap above all.

Kestra's start script runs `exec java -XX:MaxRAMPercentage=50.0 $JAVA_OPTS … -jar` (kestra-io/kestra, pull request
7800), so that what JAVA_OPTS says comes later and counts. The share is written out here all the same: other images
and start scripts have no such default, and Java's own is a quarter of the limit.
"""

from __future__ import annotations

import re

from pydantic import SecretStr

from .base import reveal
from .deployment import Component, Deployment
from .extra_variables import find, literal
from .pods import PodSettings

HEAP_PERCENTAGE = 50
"""Share of the memory limit for the heap, in percent, where the settings say none: what Kestra recommends. The rest
is for threads, compiled code, native libraries, and the processes that tasks start."""
VARIABLE = "JAVA_OPTS"
"""What Kestra's start script hands to Java."""
READ_BY_JAVA = ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
"""Variables that Java itself reads besides its command line."""
_HEAP = re.compile(r"(?:^|\s)-(?:Xmx|XX:(?:MaxHeapSize|MaxRAMPercentage|MaxRAMFraction)=)")
_FIXED_HEAP = re.compile(r"(?:^|\s)-(?:Xmx|XX:MaxHeapSize=)")


def sets_heap(options: str) -> bool:
    """Whether options of Java say how large its heap may be, as a size or as a share."""
    return _HEAP.search(options) is not None


def sets_heap_size(options: str) -> bool:
    """Whether they say it as a size, which counts more than any share, whatever the order."""
    return _FIXED_HEAP.search(options) is not None


def heap_option(percentage: int) -> str:
    """The option for a share of the memory limit in percent."""
    return f"-XX:MaxRAMPercentage={percentage}.0"


def with_extra_variables(deployment: Deployment, pod: PodSettings) -> Deployment:
    """The settings as if Java's variables of `extra-env` stood in `environment`, those of other objects encrypted."""
    variables: dict[str, str | SecretStr] = {}
    for name in (VARIABLE, *READ_BY_JAVA):
        if (variable := find(pod, name)) is not None:
            text = literal(variable)
            variables[name] = SecretStr("") if text is None else text
    if not variables and not pod.extra_env_from:
        return deployment
    others = ("extra-env-from",) if pod.extra_env_from else ()
    return deployment.model_copy(
        update={
            "environment": deployment.environment | variables,
            "environment_from": (*deployment.environment_from, *others),
        }
    )


def java_options(deployment: Deployment, component: Component) -> str | None:
    """The value of `JAVA_OPTS` of a component's containers; None where none is to be set.

    First what `environment` says for all components, then the component's share, then its `java-options`: Java takes
    the last of two that contradict each other. Without a share of its own the component has `HEAP_PERCENTAGE`, unless
    options say something of the heap, or a Secret may: an encrypted `JAVA_OPTS`, or one of `environment-from`.
    """
    shared, own = deployment.plain_environment.get(VARIABLE), component.java_options
    share = component.heap_percentage
    if share is None and not comes_from_secret(deployment):
        share = heap_default(deployment, component)
    parts = (shared, heap_option(share) if share is not None else None, own)
    return " ".join(part for part in parts if part) or shared


def comes_from_secret(deployment: Deployment) -> bool:
    """Whether `JAVA_OPTS` may come from a Secret: it is encrypted, or one of `environment-from` may have it."""
    if VARIABLE in deployment.plain_environment:
        return False
    return bool(deployment.environment_from) or VARIABLE in deployment.secret_environment


def heap_default(deployment: Deployment, component: Component) -> int | None:
    """The share in percent of a component whose settings say nothing of its heap; None where they do."""
    said = [component.java_options or ""]
    said += [reveal(deployment.environment.get(name)) or "" for name in (VARIABLE, *READ_BY_JAVA)]
    if component.heap_percentage is not None or any(map(sets_heap, said)):
        return None
    return HEAP_PERCENTAGE
