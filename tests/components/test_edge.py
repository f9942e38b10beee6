"""Ports, paths, routes, monitors, autoscalers and budgets of a whole stack, as the program registers them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.edge_support import DISTRIBUTED, LOG_IN, PLANTED, SERVER, STACK, TLS
from tests.components.inventory_support import SECRET_MARK
from tests.components.recording_support import run


def _stack(**changes: Any) -> Any:
    return run(STACK | changes)


def _container(recorded: Any, component: str = "standalone") -> dict[str, Any]:
    spec = recorded.of("Deployment")[f"kestra-{component}"]["spec"]
    return spec["template"]["spec"]["containers"][0]


def _rules(recorded: Any, policy: str) -> list[dict[str, Any]]:
    return recorded.of("NetworkPolicy")[f"kestra-{policy}"]["spec"]["ingress"]


def test_ports_and_paths_follow_the_settings() -> None:
    recorded = _stack(micronaut={"server": SERVER}, endpoints={"all": {"port": 9081}})
    container = _container(recorded)
    assert {p["name"]: p["containerPort"] for p in container["ports"]} == {
        "http": 9080,
        "management": 9081,
    }
    for probe, path in (
        ("startupProbe", "/kestra/health"),
        ("readinessProbe", "/kestra/health/readiness"),
        ("livenessProbe", "/kestra/health/liveness"),
    ):
        assert container[probe]["httpGet"] == {"path": path, "port": "management"}
    services = recorded.of("Service")
    assert services["kestra-web-service"]["spec"]["ports"] == [
        {"protocol": "TCP", "name": "http", "port": 80, "targetPort": 9080}
    ]
    assert services["kestra-management-service"]["spec"]["ports"][0]["port"] == 9081
    (rule,) = _rules(recorded, "web")
    assert rule["ports"] == [{"protocol": "TCP", "port": 9080}]
    assert recorded.outputs["endpoint"].endswith(".svc/kestra")
    assert recorded.outputs["endpoint"].startswith("http://")


def test_with_a_log_in_the_probe_asks_below_the_context_path() -> None:
    recorded = _stack(micronaut={"server": SERVER}, endpoints=LOG_IN)
    command = _container(recorded)["readinessProbe"]["exec"]["command"]
    assert "GET /kestra/health/readiness HTTP/1.0" in command[2]
    assert "/dev/tcp/127.0.0.1/9081" in command[2]


@pytest.mark.parametrize("block", ["server", "root"])
def test_with_tls_service_policy_and_ingress_follow_and_the_probes_do_not(block: str) -> None:
    ssl = TLS["ssl"]
    micronaut = {"server": TLS} if block == "server" else {"server": SERVER, "ssl": ssl}
    ingress = {"host": "k.example.com", "class-name": "nginx", "tls-secret": "tls"}
    recorded = _stack(micronaut=micronaut, deployment={"ingress": ingress})
    container = _container(recorded)
    assert container["ports"][0] == {"name": "https", "containerPort": 9443}
    # The management port speaks plain HTTP either way.
    assert container["startupProbe"]["httpGet"] == {"path": "/kestra/health", "port": "management"}
    assert recorded.of("Service")["kestra-web-service"]["spec"]["ports"] == [
        {
            "protocol": "TCP",
            "name": "https",
            "port": 443,
            "targetPort": 9443,
            "appProtocol": "https",
        }
    ]
    (rule,) = _rules(recorded, "web")
    assert rule["ports"] == [{"protocol": "TCP", "port": 9443}]
    edge = recorded.of("Ingress")["kestra-ingress"]
    assert (
        edge["metadata"]["annotations"]["nginx.ingress.kubernetes.io/backend-protocol"] == "HTTPS"
    )
    (path,) = edge["spec"]["rules"][0]["http"]["paths"]
    assert path["path"] == "/kestra"
    assert path["backend"]["service"]["port"] == {"name": "https"}
    assert recorded.outputs["endpoint"] == "https://k.example.com/kestra/"
    assert "url: https://k.example.com/kestra/" in recorded.outputs["configuration"]


@pytest.mark.parametrize(
    ("issuer", "annotation"),
    [
        ({"cluster-issuer": "letsencrypt"}, {"cert-manager.io/cluster-issuer": "letsencrypt"}),
        ({"issuer": "own"}, {"cert-manager.io/issuer": "own"}),
    ],
)
def test_cert_manager_makes_the_certificate(
    issuer: dict[str, str], annotation: dict[str, str]
) -> None:
    recorded = _stack(deployment={"ingress": {"host": "k.example.com", **issuer}})
    edge = recorded.of("Ingress")["kestra-ingress"]
    assert edge["metadata"]["annotations"] == annotation
    assert edge["spec"]["tls"] == [{"hosts": ["k.example.com"], "secretName": "kestra-tls"}]


def test_a_route_leads_the_gateway_to_the_web_service() -> None:
    gateway = {"name": "public", "namespace": "gateways", "section-name": "https"}
    route = {"host": "k.example.com", "gateway": gateway, "annotations": {"a": "b"}}
    recorded = _stack(deployment={"http-route": route})
    type_, inputs = recorded.resources["kestra-http-route"]
    assert type_ == "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
    assert inputs["metadata"]["annotations"] == {"a": "b"}
    assert inputs["spec"] == {
        "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
        "hostnames": ["k.example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"name": "kestra-web", "port": 80}],
            }
        ],
    }
    assert recorded.outputs["endpoint"] == "https://k.example.com/"
    assert "kestra-ingress" not in recorded.resources


def test_a_monitor_logs_in_with_a_secret_of_the_stack() -> None:
    recorded = _stack(
        endpoints=LOG_IN,
        micronaut={"server": SERVER},
        deployment={
            "monitoring": {"interval": "30s", "scrape-timeout": "5s", "labels": {"release": "p"}}
        },
    )
    type_, inputs = recorded.resources["kestra-monitor"]
    assert type_ == "kubernetes:monitoring.coreos.com/v1:ServiceMonitor"
    assert inputs["metadata"]["labels"]["release"] == "p"
    (endpoint,) = inputs["spec"]["endpoints"]
    assert {k: endpoint[k] for k in ("port", "path", "scheme", "interval", "scrapeTimeout")} == {
        "port": "management",
        "path": "/kestra/prometheus",
        "scheme": "http",
        "interval": "30s",
        "scrapeTimeout": "5s",
    }
    secret = recorded.of("Secret")["kestra-monitoring"]
    assert endpoint["basicAuth"] == {
        name: {"name": "kestra-monitoring", "key": name} for name in ("username", "password")
    }
    data = secret["stringData"]
    assert SECRET_MARK in data or all(SECRET_MARK in value for value in data.values())
    # The Services and pods that it chooses are Kestra's own.
    chosen = inputs["spec"]["selector"]["matchLabels"].items()
    assert (
        chosen <= recorded.of("Service")["kestra-management-service"]["metadata"]["labels"].items()
    )
    assert PLANTED not in str(inputs)


@pytest.mark.parametrize(
    ("endpoints", "own", "basic_auth"),
    [
        ({"prometheus": {"sensitive": False}}, None, None),
        (
            LOG_IN,
            {"name": "kestra-secrets", "password-key": "PASSWORD"},
            {
                "username": {"name": "kestra-secrets", "key": "username"},
                "password": {"name": "kestra-secrets", "key": "PASSWORD"},
            },
        ),
    ],
)
def test_a_pod_monitor_takes_the_log_in_that_there_is(
    endpoints: Any, own: Any, basic_auth: Any
) -> None:
    monitoring = {"kind": "pod-monitor"} | ({"log-in-secret": own} if own else {})
    recorded = _stack(endpoints=endpoints, deployment={"monitoring": monitoring})
    type_, inputs = recorded.resources["kestra-monitor"]
    assert type_ == "kubernetes:monitoring.coreos.com/v1:PodMonitor"
    (endpoint,) = inputs["spec"]["podMetricsEndpoints"]
    assert endpoint.get("basicAuth") == basic_auth
    assert "kestra-monitoring" not in recorded.resources


def test_an_autoscaled_component_has_no_replicas_and_updates_leave_them_alone() -> None:
    recorded = _stack(deployment=DISTRIBUTED)
    scalers = {
        i["spec"]["scaleTargetRef"]["name"]: i["spec"]
        for i in recorded.of("HorizontalPodAutoscaler").values()
    }
    for name, deployment in recorded.of("Deployment").items():
        assert "replicas" not in deployment["spec"]
        assert list(recorded.requests[name].ignoreChanges) == ["spec.replicas"]
        assert deployment["metadata"]["name"] in scalers
    shared = scalers["kestra-executor"]
    assert (shared["minReplicas"], shared["maxReplicas"]) == (2, 4)
    assert [m["resource"]["target"]["averageUtilization"] for m in shared["metrics"]] == [80]
    worker = scalers["kestra-worker"]
    assert (worker["minReplicas"], worker["maxReplicas"]) == (1, 9)
    assert [
        (m["resource"]["name"], m["resource"]["target"]["averageUtilization"])
        for m in worker["metrics"]
    ] == [
        ("cpu", 60),
        ("memory", 90),
    ]


def test_budgets_are_as_set_and_by_themselves_where_there_may_be_several_pods() -> None:
    recorded = _stack(deployment=DISTRIBUTED)
    budgets = {n: i["spec"] for n, i in recorded.of("PodDisruptionBudget").items()}
    assert budgets["kestra-webserver-budget"]["minAvailable"] == "50%"
    assert budgets["kestra-worker-budget"]["maxUnavailable"] == 1
    assert len(budgets) == 5
    alone = _stack(deployment={"disruption-budget": {"max-unavailable": 0}})
    assert (
        alone.of("PodDisruptionBudget")["kestra-standalone-budget"]["spec"]["maxUnavailable"] == 0
    )


def test_without_the_new_settings_nothing_of_them_is_registered() -> None:
    recorded = _stack()
    types = {type_ for type_, _ in recorded.resources.values()}
    assert not [
        t for t in types if "autoscaling" in t or "gateway" in t or "monitoring.coreos" in t
    ]
    assert recorded.of("Deployment")["kestra-standalone"]["spec"]["replicas"] == 1
    assert not recorded.requests["kestra-standalone"].ignoreChanges


def test_the_port_of_the_controllers_is_the_same_everywhere() -> None:
    recorded = _stack(version="2.0", controller={"port": 50061}, deployment={"mode": "distributed"})
    # A Deployment and a policy have the same name.
    specs = {
        (request.type.rpartition(":")[2], request.name): inputs.get("spec")
        for request, inputs in recorded.registered.values()
    }
    assert "port: 50061" in recorded.outputs["configuration"].partition("worker:")[2]
    pod = specs["Deployment", "kestra-controller"]["template"]["spec"]
    assert {"name": "grpc", "containerPort": 50061} in pod["containers"][0]["ports"]
    (port,) = specs["Service", "kestra-controller-service"]["ports"]
    assert (port["port"], port["targetPort"]) == (50061, 50061)
    for policy, rules in (("controller", "ingress"), ("worker", "egress")):
        (rule,) = specs["NetworkPolicy", f"kestra-{policy}"][rules]
        assert rule["ports"] == [{"protocol": "TCP", "port": 50061}]
