"""The pack as an analyzer of Pulumi's engine. The one module of the pack that needs Pulumi.

It speaks the engine's protocol (`pulumi.runtime.proto`) itself: the SDK for packs passes on neither the stack that
is judged, nor which values are secret, and cannot refuse a configuration.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc, plugin_pb2

from .. import controls
from ..manifest import NAME, VERSION
from ..releases import configured_releases
from .judge import Judge, Judged
from .levels import Level, environment_of, environment_of_process
from .model import Control, Resource, Stack, plain_type
from .options import NAME as OPTIONS
from .options import SCHEMA, Options, configuration_faults
from .wire import decode, encode

_OPTIONS_TEXT = "Limits, allow-lists and exemptions of this pack."
_LEVELS: Mapping[int, Level | str] = {
    proto.ADVISORY: "advisory",
    proto.MANDATORY: "mandatory",
    proto.DISABLED: "disabled",
    proto.REMEDIATE: "remediate",
}
_NUMBERS = {name: number for number, name in _LEVELS.items()}
_WORKERS = 4
#: The engine sends whole stacks in one message.
_GRPC = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine. `ConfigureStack` and `Configure` come before everything that judges."""

    def __init__(self, environment: str = "") -> None:
        """An analyzer.

        Args:
            environment: whose levels count whatever the stack says; empty: the stack's.
        """
        self._environment = environment
        self.judge = Judge(environment_of({}, "", environment))

    def ConfigureStack(
        self, request: proto.AnalyzerStackConfigureRequest, context: Any
    ) -> proto.AnalyzerStackConfigureResponse:
        config = dict(request.config)
        environment = environment_of(config, request.stack, self._environment)
        self.judge = Judge(environment, releases=configured_releases(config))
        return proto.AnalyzerStackConfigureResponse()

    def Configure(self, request: proto.ConfigureAnalyzerRequest, context: Any) -> empty_pb2.Empty:
        config = {
            name: json_format.MessageToDict(entry.properties)
            for name, entry in request.policyConfig.items()
        }
        if faults := configuration_faults(config, [control.id for control in controls.ALL]):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "; ".join(faults))
        levels: dict[str, Any] = {
            name: _LEVELS[entry.enforcementLevel] for name, entry in request.policyConfig.items()
        }
        options = Options.read(config.get(OPTIONS, {}))
        self.judge = Judge(self.judge.environment, options, levels, self.judge.releases)
        return empty_pb2.Empty()

    def GetAnalyzerInfo(self, request: Any, context: Any) -> proto.AnalyzerInfo:
        options = proto.PolicyInfo(
            name=OPTIONS,
            description=_OPTIONS_TEXT,
            enforcementLevel=proto.ADVISORY,
            policy_type=proto.POLICY_TYPE_RESOURCE,
        )
        options.configSchema.properties.update(dict(SCHEMA))
        return proto.AnalyzerInfo(
            name=NAME,
            displayName=f"Kestra, {self.judge.environment}",
            version=VERSION,
            supportsConfig=True,
            policies=[options, *map(self._info, controls.ALL)],
        )

    def _info(self, control: Control) -> proto.PolicyInfo:
        info = proto.PolicyInfo(
            name=control.id,
            displayName=control.title,
            description=control.risk,
            enforcementLevel=_level(self.judge.level(control)),
            severity=_severity(control),
            tags=[control.area, *(f"{f.name} {f.version} {f.id}" for f in control.frameworks)],
            remediation_steps="\n".join(control.steps),
            policy_type=proto.POLICY_TYPE_STACK if control.is_stack else proto.POLICY_TYPE_RESOURCE,
        )
        if control.frameworks:
            first = control.frameworks[0]
            info.framework.name, info.framework.version = first.name, first.version
            info.framework.specification = first.id
        return info

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=VERSION)

    def Handshake(self, request: Any, context: Any) -> proto.AnalyzerHandshakeResponse:
        return proto.AnalyzerHandshakeResponse()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def Analyze(self, request: proto.AnalyzeRequest, context: Any) -> proto.AnalyzeResponse:
        return _response(self.judge.of_resource(_resource(request)))

    def AnalyzeStack(
        self, request: proto.AnalyzeStackRequest, context: Any
    ) -> proto.AnalyzeResponse:
        stack = Stack([_resource(resource) for resource in request.resources])
        return _response(self.judge.of_stack(stack))

    def Remediate(self, request: proto.AnalyzeRequest, context: Any) -> proto.RemediateResponse:
        response = proto.RemediateResponse()
        for control in controls.ALL:
            changes = self.judge.remedy(control, _resource(request)) if control.remedy else {}
            if not changes:
                continue
            # What it leaves alone stays as it was sent, secrets and unknown values too.
            request.properties.update(encode(changes))
            response.remediations.append(
                proto.Remediation(
                    policyName=control.id,
                    policyPackName=NAME,
                    policyPackVersion=VERSION,
                    description=control.risk,
                    properties=request.properties,
                )
            )
        return response


def _resource(message: proto.AnalyzeRequest | proto.AnalyzerResource) -> Resource:
    references = (
        {key: tuple(entry.urns) for key, entry in message.propertyDependencies.items()}
        if isinstance(message, proto.AnalyzerResource)
        else {}
    )
    return Resource(
        plain_type(message.type),
        message.name,
        properties(message.properties),
        message.urn,
        message.options.protect,
        references,
    )


def properties(sent: struct_pb2.Struct) -> Mapping[str, Any]:
    """Properties of a resource as the controls see them."""
    return decode(json_format.MessageToDict(sent))


def _response(judged: Any) -> proto.AnalyzeResponse:
    response = proto.AnalyzeResponse()
    for one in judged:
        response.diagnostics.extend(_diagnostics(one))
        if one.undecided:
            response.not_applicable.append(
                proto.PolicyNotApplicable(policy_name=one.control.id, reason=one.undecided)
            )
    return response


def _diagnostics(judged: Judged) -> list[proto.AnalyzeDiagnostic]:
    control = judged.control
    return [
        proto.AnalyzeDiagnostic(
            policyName=control.id,
            policyPackName=NAME,
            policyPackVersion=VERSION,
            description=control.risk,
            message=f"{control.risk}\n{violation.text}",
            enforcementLevel=_level(violation.level),
            urn=violation.urn,
            severity=_severity(control),
        )
        for violation in judged.violations
    ]


def _level(level: str) -> Any:
    return _NUMBERS[level]


def _severity(control: Control) -> Any:
    return getattr(proto, f"POLICY_SEVERITY_{control.severity.upper()}")


def serve() -> None:
    """Serves the pack to the engine, which ends it. Prints the port, as the engine expects.

    Raises:
        ValueError: when the environment that the process is given is none.
    """
    analyzer = Analyzer(environment_of_process(os.environ))
    # A traceback at the end would be taken for a defect.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    server = grpc.server(ThreadPoolExecutor(max_workers=_WORKERS), options=_GRPC)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(analyzer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
