"""`doctor` says of the channel's certificates whether they are good, and whether the pods still have older ones."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from components.validation import load
from sandbox.doctor.certificates import CertificateState, PodStart, examine_certificates, judge
from tests.components.pods_support import distributed_document
from tests.sandbox.api_server_support import api_server

NOW = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
GOOD = CertificateState(True, "Certificate is up to date", NOW - DAY, NOW + 89 * DAY)
NEW, OLD = PodStart("worker", NOW), PodStart("worker-gpu", NOW - 2 * DAY)


@pytest.mark.parametrize(
    ("state", "pods", "is_well", "says"),
    [
        (None, [OLD], None, "not there"),
        (GOOD, [NEW], True, "valid until 2027-02-17 00:00 UTC"),
        (GOOD, [], True, "valid until"),
        (GOOD, [NEW, OLD], False, "older pods of worker-gpu still have the one before"),
        (CertificateState(True, "", None, None), [OLD], True, "ready"),
        (CertificateState(False, "the issuer is not ready", None, None), [], False, "the issuer is not ready"),
        (CertificateState(True, "", NOW - 90 * DAY, NOW), [NEW], False, "has ended on 2026-11-20"),
    ],
)  # fmt: skip
def test_a_certificate_is_judged_with_the_pods_that_have_it(
    state: CertificateState | None, pods: list[PodStart], is_well: bool | None, says: str
) -> None:
    check = judge("kestra-grpc-worker", state, pods, NOW, "flows")
    assert (check.is_well, says in check.state) == (is_well, True)
    assert bool(check.remedy) is (is_well is False)
    if OLD in pods and is_well is False:
        assert "rollout restart deployment kestra-worker-gpu`" in check.remedy


def test_the_cluster_is_asked_for_certificates_and_pods(tmp_path: Path) -> None:
    def status(before: str) -> dict[str, Any]:
        conditions = [{"type": "Ready", "status": "True", "message": "up to date"}]
        return {"conditions": conditions, "notBefore": before, "notAfter": "2027-02-01T00:00:00Z"}

    certificates = [
        {"metadata": {"name": "kestra-grpc-controller"}, "status": status("2026-11-01T00:00:00Z")},
        {"metadata": {"name": "kestra-grpc-worker"}, "status": status("2026-11-10T00:00:00Z")},
        {"metadata": {"name": "of-another"}, "status": {}},
    ]
    pods = [
        {
            "metadata": {"name": name, "labels": {"app.kubernetes.io/component": name}},
            "status": began,
        }
        for name, began in (
            ("controller", {"startTime": "2026-11-05T00:00:00Z"}),
            ("worker", {"startTime": "2026-11-05T00:00:00Z"}),
            ("executor", {"startTime": "2020-01-01T00:00:00Z"}),
            ("worker-gpu", {}),
        )
    ]
    answers = {
        "/apis/cert-manager.io/v1/namespaces/kestra/certificates": {"items": certificates},
        "/api/v1/namespaces/kestra/pods": {"items": pods},
    }

    document = distributed_document({"grpc-tls": {}}, version="2.0")
    settings = load(document, source="t").settings
    with api_server(answers, tmp_path) as kubeconfig:
        checks = list(examine_certificates(settings, own=True, now=NOW, kubeconfig=kubeconfig))
    assert [(check.name, check.is_well) for check in checks] == [
        ("kestra-grpc-controller", True),
        ("kestra-grpc-worker", False),
    ]
    assert "older pods of worker still" in checks[1].state
    [unasked] = examine_certificates(settings, own=True, now=NOW, kubeconfig=kubeconfig)
    assert (unasked.is_well, "could not be asked" in unasked.state) == (None, True)
    assert list(examine_certificates(settings, own=False)) == []
    without = load(distributed_document({}, version="2.0"), source="t").settings
    assert list(examine_certificates(without, own=True)) == []
