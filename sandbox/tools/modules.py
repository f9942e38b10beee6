"""What the tools are built from, in which versions, and how one that the machine has is told to fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.tools.sources import Source

OFFICIAL_KUBERNETES = "pulumi-resource-kubernetes"
"""Pulumi's own provider, by which the long tests judge the stand-in."""
EXTERNAL_SECRETS = "external-secrets"
"""The External Secrets Operator, for stacks whose secrets it brings to the pods."""
EXTERNAL_SECRETS_SOURCE = Source(
    "github.com/external-secrets/external-secrets",
    "v0.16.2",
    "h1:iNY+gIgSyL5higXTfnz+hdPCaiB/43UiHLqE7HBpj68=",
)

_KUBERNETES_VERSION = (
    "-X k8s.io/component-base/version.gitVersion=v1.34.3"
    " -X k8s.io/component-base/version.gitMajor=1"
    " -X k8s.io/component-base/version.gitMinor=34"
)
_CNI = "github.com/containernetworking/plugins/plugins"


@dataclass(frozen=True)
class Module:
    """A Go module that tools are built from."""

    name: str
    version: str
    packages: Mapping[str, str]
    """Tool to package path."""
    ldflags: str = ""
    compiles: int = 0
    """At most how many packages are compiled (`go list -deps`), for the progress."""
    on_request: bool = False
    """Whether it is built only when it is asked for by name."""
    is_static: bool = False
    """Whether it needs no library of the machine, so that an image without any can hold it."""
    source: Source | None = None
    """A dependency that is built with the files of `replaced/` in place of its own."""
    source_parts: tuple[str, ...] = ()
    """What is needed of that dependency."""


MODULES = {
    m.name: m
    for m in (
        Module(
            "pulumi",
            "3.259.0",
            {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
            "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.259.0",
            1690,
        ),
        Module(
            "kubernetes",
            "1.34.3",
            {
                "etcd": "./etcd",
                "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
                "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
                "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
            },
            _KUBERNETES_VERSION,
            2440,
        ),
        Module("kwok", "0.8.0", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, "", 970),
        Module(
            "kubeconform",
            "0.8.0",
            {"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"},
            "-X main.version=v0.8.0",
            130,
        ),
        Module("vault", "1.21.1", {"vault": "github.com/hashicorp/vault"}, "", 2580),
        Module(
            "pulumi-kubernetes",
            "4.25.0",
            {OFFICIAL_KUBERNETES: f"./{OFFICIAL_KUBERNETES}"},
            compiles=1690,
            on_request=True,
        ),
        # The language host of programs in YAML, by which the tests use the component package.
        Module(
            "pulumi-yaml",
            "1.25.0",
            {"pulumi-language-yaml": "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"},
            "-X github.com/pulumi/pulumi-yaml/pkg/version.Version=v1.25.0",
            compiles=1500,
            on_request=True,
        ),
        Module(
            "generate-sdks",
            "3.259.0",
            {"generate-sdks": "./generate-sdks"},
            compiles=1500,
            on_request=True,
        ),
        Module(
            "evaluate-environment",
            "3.259.0",
            {"evaluate-environment": "./evaluate-environment"},
            compiles=1500,
            on_request=True,
        ),
        # The last release with C#'s generator in the same module.
        Module(
            "generate-csharp",
            "3.100.0",
            {"generate-csharp": "./generate-csharp"},
            compiles=1000,
            on_request=True,
        ),
        Module(
            EXTERNAL_SECRETS,
            "0.16.2",
            {EXTERNAL_SECRETS: f"./{EXTERNAL_SECRETS}"},
            compiles=1000,
            on_request=True,
            source=EXTERNAL_SECRETS_SOURCE,
            source_parts=("apis", "pkg", "go.mod", "go.sum"),
        ),
        # The same version as the control plane, apart from it: who simulates the nodes does not build these.
        Module(
            "kubelet",
            "1.34.3",
            {
                "kubelet": "k8s.io/kubernetes/cmd/kubelet",
                "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
            },
            _KUBERNETES_VERSION,
            1760,
            on_request=True,
        ),
        Module(
            "cni",
            "1.10.0",
            {
                "bridge": f"{_CNI}/main/bridge",
                "loopback": f"{_CNI}/main/loopback",
                "host-local": f"{_CNI}/ipam/host-local",
            },
            compiles=260,
            on_request=True,
            is_static=True,
        ),
        Module(
            "kube-router",
            "2.1.0",
            {"kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"},
            compiles=970,
            on_request=True,
            is_static=True,
        ),
        Module(
            "coredns",
            "1.15.0",
            {"coredns": "./coredns"},
            compiles=800,
            on_request=True,
            is_static=True,
        ),
        Module("pause", "1", {"pause": "./pause"}, compiles=60, on_request=True, is_static=True),
    )
}

#: How a tool found on the machine tells its version, and which versions fit.
FITS = {
    "pulumi": (("version",), r"(?<!\d)3\.259\."),
    "etcd": (("--version",), r"etcd Version: 3\.6\."),
    "kube-apiserver": (("--version",), r"v1\.34\."),
    "kube-controller-manager": (("--version",), r"v1\.34\."),
    "kube-scheduler": (("--version",), r"v1\.34\."),
    "kubelet": (("--version",), r"v1\.34\."),
    "kube-proxy": (("--version",), r"v1\.34\."),
    "kwok": (("--version",), r"(?<!\d)0\.8\."),
    "kubeconform": (("-v",), r"v0\.8\."),
    "vault": (("version",), r"Vault v1\.(1[6-9]|2[0-9])\."),
}

REAL_NODES = (
    "kubelet",
    "kube-proxy",
    "bridge",
    "loopback",
    "host-local",
    "kube-router",
    "coredns",
    "pause",
)
"""What `--nodes real` needs besides the control plane."""
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
