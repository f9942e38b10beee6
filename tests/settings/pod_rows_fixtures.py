"""Settings of pods, valid and not: YAML below `kestra:deployment`, and what the report says of it."""

from __future__ import annotations

SECRET = "Pl4nted-Pod-Secret1"

#: Accepted without a word.
VALID = {
    "env": "extra-env: [{name: A, value: b}, {name: B, value: ''}, {name: C}]",
    "env of a secret": "extra-env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: b.c, optional: true}}}]",
    "env in kebab-case": "extra-env: [{name: A, value-from: {config-map-key-ref: {name: a, key: b}}}]",
    "env of a field": "extra-env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a/b']\"}}}]",
    "env of a resource": "extra-env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}]",
    "encrypted env": f"extra-env: [{{name: A_TOKEN, value: {{secure: {SECRET}}}}}]",
    "env-from": "extra-env-from: [{secretRef: {name: a}, prefix: DB_}, {configMapRef: {name: b, optional: true}}]",
    "the camelCase of a setting": "extraEnvFrom: [{secret-ref: {name: a}}]",
    "node-selector": "node-selector: {kubernetes.io/os: linux}",
    "tolerations": "tolerations: [{operator: Exists}, {key: a, value: b, effect: NoSchedule}]",
    "affinity": "affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, "
    "podAffinityTerm: {topologyKey: a, labelSelector: {matchLabels: {a: b}}}}]}}",
    "topology": "topology-spread-constraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]",
    "priority-class": "priority-class: system-node-critical",
    "runtime-class": "runtime-class: gvisor",
    "annotations": "annotations: {prometheus.io/scrape: 'true', a: 'any text at all'}",
    "labels": "labels: {example.com/team: data, empty: ''}",
    "volumes": "extra-volumes: [{name: a, secret: {secretName: a, items: [{key: a, path: b/c, mode: 0400}]}}, "
    "{name: b, configMap: {name: a}}, {name: c, persistentVolumeClaim: {claimName: a}}, {name: d, emptyDir: {}}, "
    "{name: e, csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: a}}}, "
    "{name: f, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.name}}]}}, "
    "{name: g, projected: {sources: [{secret: {name: a}}, {serviceAccountToken: {path: t, audience: a}}]}}, "
    "{name: h, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}, "
    "{name: i, emptyDir: {medium: Memory, sizeLimit: 10Mi}}]",
    "a volume without a kind": "extra-volumes: [{name: a}]",
    "mounts": "extra-volumes: [{name: a, secret: {secretName: a}}]\n"
    "    extra-volume-mounts: [{name: a, mountPath: /app/certs, readOnly: true}, {name: a, mountPath: /app/x, subPath: b}, "
    "{name: tmp, mountPath: /work}]",
    "containers": "init-containers: [{name: a, image: 'a:1', command: [true-ish], resources: {limits: {memory: 1Gi, cpu: 1}}}]\n"
    "    extra-containers: [{name: b, image: 'b:1', ports: [{containerPort: 80}], securityContext: {runAsUser: 1001}, "
    "livenessProbe: {httpGet: {path: /, port: 80}}, lifecycle: {preStop: {exec: {command: [a]}}}}]",
    "a native sidecar": "init-containers: [{name: a, image: 'a:1', restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}}}]",
    "host-aliases": "host-aliases: [{ip: '::1', hostnames: [a, b]}]",
    "dns-config": "dns-config: {nameservers: [10.0.0.1], searches: [a.b], options: [{name: ndots, value: '2'}, {name: x}]}",
    "existing claim": "storage-volume: {existing-claim: a}",
    "an empty list": "extra-env: []\n    tolerations: []",
    "a component": "components: {standalone: {extra-env: [{name: A, value: b}], node-selector: {a: b}}}",
    "null fields": "extra-env: [{name: A, value: b, valueFrom: }]",
    "a whole number with a point": "tolerations: [{operator: Exists, effect: NoExecute, tolerationSeconds: 60.0}]",
    "a number as key": "node-selector: {a: b}\n    extra-volumes: [{name: a, csi: {driver: x, volumeAttributes: {2: a}}}]",
    "a limit beyond Kestra's volumes": "extra-volumes: [{name: a, emptyDir: {sizeLimit: 1}}]",
}

#: Accepted with a warning: words of it, ` | ` between them.
WARNED = {
    "a secret in clear": (
        f"extra-env: [{{name: DB_PASSWORD, value: {SECRET}}}]",
        "deployment.extra-env[0].value | stands in clear | pulumi config set --path --secret "
        "'kestra:deployment.extra-env[0].value'",
    ),
    "a secret in clear, in the words of the user": (
        f"extraEnv: [{{name: DB_PASSWORD, value: {SECRET}}}]",
        "--secret 'kestra:deployment.extraEnv[0].value'",
    ),
    "an address with a log-in": (
        f"extra-env: [{{name: A_URL, value: 'https://u:{SECRET}@h/'}}]",
        "extra-env[0].value | holds a credential",
    ),
    "a secret in clear beside Kestra": (
        f"extra-containers: [{{name: a, image: 'a:1', env: [{{name: A_TOKEN, value: {SECRET}}}]}}]",
        "extra-containers[0].env[0].value | stands in clear",
    ),
    "a secret that flows read": (
        "extra-env: [{name: ENV_A, valueFrom: {secretKeyRef: {name: a, key: b}}}]",
        "extra-env[0].name | envs.a",
    ),
    "secrets that flows read": (
        "extra-env-from: [{secretRef: {name: a}, prefix: ENV_}]",
        "extra-env-from[0].prefix | shows flows every key",
    ),
    "a mode for everyone": (
        "extra-volumes: [{name: a, secret: {secretName: a, defaultMode: 0644}}]",
        "extra-volumes[0].secret.defaultMode | 0644 | 0440",
    ),
    "a mode of one file": (
        "extra-volumes: [{name: a, projected: {sources: [{secret: {name: a, items: [{key: a, path: b, mode: 0444}]}}]}}]",
        "extra-volumes[0].projected.sources[0].secret.items[0].mode | 0444",
    ),
    "a file of Java's": (
        "components: {standalone: {java-options: '-Djavax.net.ssl.trustStore=/app/ssl/trust.p12 -Xss1m'}}",
        "java-options | /app/ssl/trust.p12 | extra-volume",
    ),
    "a file of a variable": (
        "extra-env: [{name: SSL_CERT_FILE, value: /app/ssl/ca.crt}]",
        "extra-env[0].value | /app/ssl/ca.crt",
    ),
    "a file of a variable in environment": (
        "environment: {KRB5_CONFIG: /etc/krb5.conf}",
        "environment.KRB5_CONFIG | /etc/krb5.conf",
    ),
}

#: Refused: path, and words of the report.
REFUSED = {
    "env no list": ("extra-env: {A: b}", "extra-env", "is not a list"),
    "env no block": ("extra-env: [A=b]", "extra-env[0]", "not a block of keys"),
    "env number": ("extra-env: [{name: A, value: 5}]", "extra-env[0].value", "in quotes"),
    "env unknown": ("extra-env: [{name: A, valeu: b}]", "extra-env[0].valeu", "did you mean value"),
    "env unknown in kebab": ("extra-env: [{name: A, value-form: b}]", "extra-env[0].value-form", "did you mean value-from"),
    "env no name": ("extra-env: [{value: b}]", "extra-env[0].name", "is missing"),
    "env name": ("extra-env: [{name: A-B, value: b}]", "extra-env[0].name", "letters, digits and _"),
    "env twice": ("extra-env: [{name: A, value: b}, {name: A, value: c}]", "extra-env[1].name", "is there twice"),
    "env elsewhere": ("environment: {A: b}\n    extra-env: [{name: A, value: b}]", "extra-env[0].name", "environment too"),
    "env both": ("extra-env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", "extra-env[0].valueFrom", "beside value"),
    "env two sources": ("extra-env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: b}, fieldRef: {fieldPath: metadata.name}}}]", "extra-env[0].valueFrom", "exactly one"),
    "env no source": ("extra-env: [{name: A, valueFrom: {}}]", "extra-env[0].valueFrom", "exactly one"),
    "env no key": ("extra-env: [{name: A, valueFrom: {secretKeyRef: {name: a}}}]", "extra-env[0].valueFrom.secretKeyRef.key", "is missing"),
    "env no object": ("extra-env: [{name: A, valueFrom: {secretKeyRef: {key: a}}}]", "extra-env[0].valueFrom.secretKeyRef.name", "is missing"),
    "env field": ("extra-env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.foo}}}]", "extra-env[0].valueFrom.fieldRef.fieldPath", "field of the pod"),
    "env resource": ("extra-env: [{name: A, valueFrom: {resourceFieldRef: {resource: cpu}}}]", "extra-env[0].valueFrom.resourceFieldRef.resource", "limits.memory"),
    "env spelled twice": ("extra-env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name, field-path: metadata.uid}}}]", "extra-env[0].valueFrom.fieldRef.field-path", "written twice"),
    "env of the program": ("extra-env: [{name: STACK_A, value: b}]", "extra-env[0].name", "this project sets"),
    "env of flows": ("extra-env: [{name: SECRET_A, valueFrom: {secretKeyRef: {name: a, key: b}}}]", "extra-env[0].name", "declared-secrets"),
    "env of the launcher": ("extra-env: [{name: KESTRA_CONFIGURATION, valueFrom: {secretKeyRef: {name: a, key: b}}}]", "extra-env[0].name", "replaces the rendered configuration"),
    "env over a setting": ("url: https://a.b\n    extra-env: [{name: KESTRA_URL, valueFrom: {secretKeyRef: {name: a, key: b}}}]", "extra-env[0].name", "overrides kestra:deployment.url"),
    "env of the prefix": ("extra-env: [{name: KESTRA_VARIABLES_ENV_VARS_PREFIX, valueFrom: {configMapKeyRef: {name: a, key: b}}}]", "extra-env[0].name", "comes from another object"),
    "env of the prefix, empty": ("extra-env: [{name: KESTRA_VARIABLES_ENV_VARS_PREFIX, value: ''}]", "extra-env[0].name", "shows flows every variable"),
    "env of Java": ("extra-env: [{name: JAVA_TOOL_OPTIONS, value: -Dkestra.url=x}]", "extra-env[0].value", "sets configuration"),
    "env of Java and java-options": ("extra-env: [{name: JAVA_OPTS, valueFrom: {secretKeyRef: {name: a, key: b}}}]\n    components: {standalone: {java-options: -Xss1m}}", "components.standalone.java-options", "extra-env"),
    "encrypted name": ("extra-env: [{name: {secure: A}, value: b}]", "extra-env[0].name", "is encrypted, but its key is not sensitive"),
    "encrypted reference": ("extra-env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: {secure: b}}}}]", "extra-env[0].valueFrom.secretKeyRef.key", "is encrypted"),
    "encrypted block": ("affinity: {nodeAffinity: {secure: b}}", "affinity.nodeAffinity", "write what it holds as YAML"),
    "env-from unknown": ("extra-env-from: [{secret: {name: a}}]", "extra-env-from[0].secret", "did you mean secretRef"),
    "env-from none": ("extra-env-from: [{prefix: A_}]", "extra-env-from[0]", "exactly one"),
    "env-from name": ("extra-env-from: [{secretRef: {}}]", "extra-env-from[0].secretRef.name", "is missing"),
    "env-from prefix": ("extra-env-from: [{secretRef: {name: a}, prefix: STACK_}]", "extra-env-from[0].prefix", "this project sets"),
    "node-selector value": ("node-selector: {a: 'b c'}", "node-selector.a", "form that Kubernetes refuses"),
    "node-selector number": ("node-selector: {a: 1}", "node-selector.a", "in quotes"),
    "toleration operator": ("tolerations: [{key: a, operator: Exist}]", "tolerations[0].operator", "Exists or Equal"),
    "toleration value": ("tolerations: [{key: a, operator: Exists, value: b}]", "tolerations[0].value", "every value"),
    "toleration key": ("tolerations: [{value: b}]", "tolerations[0].key", "is missing"),
    "toleration seconds": ("tolerations: [{key: a, tolerationSeconds: 5}]", "tolerations[0].tolerationSeconds", "NoExecute"),
    "toleration flag": ("tolerations: [{key: true}]", "tolerations[0].key", "is not text"),
    "affinity unknown": ("affinity: {node: {}}", "affinity.node", "no field of a Kubernetes Affinity"),
    "affinity operator": ("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}}}", "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values", "fit its operator"),
    "affinity weight": ("affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, preference: {}}]}}", "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight", "1 to 100"),
    "topology skew": ("topology-spread-constraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]", "topology-spread-constraints[0].maxSkew", "at least 1"),
    "topology twice": ("topology-spread-constraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}, {maxSkew: 2, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]", "topology-spread-constraints[1].topologyKey", "is there twice"),
    "topology label": ("topology-spread-constraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {a: 'b c'}}}]", "topology-spread-constraints[0].labelSelector.matchLabels", "no label"),
    "priority-class": ("priority-class: High", "priority-class", "form"),
    "runtime-class": ("runtime-class: [a]", "runtime-class", "is not text"),
    "label of a selector": ("labels: {app.kubernetes.io/component: a}", "labels.app.kubernetes.io/component", "this project sets"),
    "label": ("labels: {a: -b}", "labels.a", "form that Kubernetes refuses"),
    "annotation of the program": ("annotations: {kestra.pulumi/secret-versions: a}", "annotations.kestra.pulumi/secret-versions", "this project sets"),
    "annotation key": ("annotations: {a/b/c: a}", "annotations.a/b/c", "form that Kubernetes refuses"),
    "annotation number": ("annotations: {a: 5}", "annotations.a", "in quotes"),
    "volume of the node": ("extra-volumes: [{name: a, hostPath: {path: /}}]", "extra-volumes[0].hostPath", "Pod Security `restricted`"),
    "volume of the network": ("extra-volumes: [{name: a, nfs: {server: a, path: /b}}]", "extra-volumes[0].nfs", "persistentVolumeClaim"),
    "volume of two kinds": ("extra-volumes: [{name: a, emptyDir: {}, configMap: {name: a}}]", "extra-volumes[0]", "exactly one"),
    "volume name": ("extra-volumes: [{name: A_b, emptyDir: {}}]", "extra-volumes[0].name", "lower-case"),
    "volume of the program": ("extra-volumes: [{name: tmp, emptyDir: {}}]", "extra-volumes[0].name", "this project's"),
    "volume twice": ("extra-volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]", "extra-volumes[1].name", "is there twice"),
    "volume mode": ("extra-volumes: [{name: a, secret: {secretName: a, defaultMode: 644}}]", "extra-volumes[0].secret.defaultMode", "0440"),
    "volume size": ("extra-volumes: [{name: a, emptyDir: {sizeLimit: 1 GB}}]", "extra-volumes[0].emptyDir.sizeLimit", "quantity"),
    "volume item": ("extra-volumes: [{name: a, configMap: {name: a, items: [{key: a, path: ../b}]}}]", "extra-volumes[0].configMap.items[0].path", "relative path"),
    "secret spelled as a config map": ("extra-volumes: [{name: a, secret: {name: a}}]", "extra-volumes[0].secret.name", "secretName"),
    "mount without a volume": ("extra-volumes: [{name: certs, emptyDir: {}}]\n    extra-volume-mounts: [{name: cert, mountPath: /a}]", "extra-volume-mounts[0].name", "did you mean certs"),
    "mount of the configuration": ("extra-volume-mounts: [{name: configuration, mountPath: /a}]", "extra-volume-mounts[0].name", "Kestra alone"),
    "mount path": ("extra-volume-mounts: [{name: tmp, mountPath: a}]", "extra-volume-mounts[0].mountPath", "absolute path"),
    "mount on tmp": ("extra-volume-mounts: [{name: tmp, mountPath: /tmp/}]", "extra-volume-mounts[0].mountPath", "volume tmp"),
    "mount in the configuration": ("extra-volume-mounts: [{name: tmp, mountPath: /etc/kestra/a}]", "extra-volume-mounts[0].mountPath", "read-only"),
    "mount on Kestra": ("extra-volume-mounts: [{name: tmp, mountPath: /app}]", "extra-volume-mounts[0].mountPath", "hides"),
    "mount on the storage": ("extra-volume-mounts: [{name: tmp, mountPath: /app/storage}]", "extra-volume-mounts[0].mountPath", "volume storage"),
    "mount twice": ("extra-volume-mounts: [{name: tmp, mountPath: /a}, {name: tmp, mountPath: /a}]", "extra-volume-mounts[1].mountPath", "is there twice"),
    "mount handed on": ("extra-volume-mounts: [{name: tmp, mountPath: /a, mountPropagation: Bidirectional}]", "extra-volume-mounts[0].mountPropagation", "privileged"),
    "container name": ("extra-containers: [{name: kestra, image: a}]", "extra-containers[0].name", "this project's"),
    "container twice": ("init-containers: [{name: a, image: a}]\n    extra-containers: [{name: a, image: a}]", "extra-containers[0].name", "init container"),
    "container image": ("extra-containers: [{name: a}]", "extra-containers[0].image", "is missing"),
    "container unknown": ("extra-containers: [{name: a, image: a, comand: [a]}]", "extra-containers[0].comand", "did you mean command"),
    "container mount": ("extra-containers: [{name: a, image: a, volumeMounts: [{name: x, mountPath: /a}]}]", "extra-containers[0].volumeMounts[0].name", "no volume"),
    "container port of the node": ("extra-containers: [{name: a, image: a, ports: [{containerPort: 80, hostPort: 80}]}]", "extra-containers[0].ports[0].hostPort", "node"),
    "container probe": ("extra-containers: [{name: a, image: a, livenessProbe: {httpGet: {port: 80, host: b}}}]", "extra-containers[0].livenessProbe.httpGet.host", "pod itself"),
    "container env": ("extra-containers: [{name: a, image: a, env: [{name: A, value: b}, {name: A, value: c}]}]", "extra-containers[0].env[1].name", "twice"),
    "container quantity": ("extra-containers: [{name: a, image: a, resources: {limits: {memory: 1GB}}}]", "extra-containers[0].resources.limits.memory", "quantity"),
    "container of two kinds": ("init-containers: [{name: a, image: a}]\n    components: {standalone: {extra-containers: [{name: a, image: a}]}}", "components.standalone.extra-containers[0].name", "init container too"),
    "init container probe": ("init-containers: [{name: a, image: a, readinessProbe: {tcpSocket: {port: 80}}}]", "init-containers[0].readinessProbe", "restartPolicy"),
    "container probe of two kinds": ("extra-containers: [{name: a, image: a, readinessProbe: {tcpSocket: {port: 80}, exec: {command: [a]}}}]", "extra-containers[0].readinessProbe", "exactly one"),
    "container probe of none": ("extra-containers: [{name: a, image: a, readinessProbe: {periodSeconds: 5}}]", "extra-containers[0].readinessProbe", "exactly one"),
    "ephemeral volume": ("extra-volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce]}}}}]", "extra-volumes[0].ephemeral.volumeClaimTemplate.spec.resources", "is missing"),
    "downward item": ("extra-volumes: [{name: a, downwardAPI: {items: [{path: a}]}}]", "extra-volumes[0].downwardAPI.items[0]", "exactly one"),
    "host-aliases ip": ("host-aliases: [{ip: a, hostnames: [b]}]", "host-aliases[0].ip", "IP address"),
    "dns-config": ("dns-config: {nameservers: [a]}", "dns-config.nameservers", "IP address"),
    "dns-config many": ("dns-config: {nameservers: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]}", "dns-config.nameservers", "three"),
    "dns-config unknown": ("dns-config: {nameserver: [10.0.0.1]}", "dns-config.nameserver", "did you mean nameservers"),
    "component not deployed": ("components: {worker: {node-selector: {a: b}}}", "components.worker", "not deployed"),
    "component env": ("components: {standalone: {extra-env: [{name: STACK_A, value: b}]}}", "components.standalone.extra-env[0].name", "this project sets"),
    "claim and size": ("storage-volume: {existing-claim: a, size: 1Gi}", "storage-volume.size", "existing-claim"),
    "no claim and no size": ("storage-volume: {class-name: a}", "storage-volume.size", "existing-claim"),
    "groups of open source": ("worker-groups: {a: {}}", "worker-groups", "Enterprise"),
}  # fmt: skip
#: Fields of a securityContext that Pod Security refuses.
SECURITY = {
    "privileged": ("{privileged: true}", "privileged"),
    "escalation": ("{allowPrivilegeEscalation: true}", "allowPrivilegeEscalation"),
    "root": ("{runAsNonRoot: false}", "runAsNonRoot"),
    "user 0": ("{runAsUser: 0}", "runAsUser"),
    "kept capabilities": ("{capabilities: {drop: [NET_RAW]}}", "capabilities.drop"),
    "added capability": ("{capabilities: {drop: [ALL], add: [SYS_ADMIN]}}", "capabilities.add"),
    "seccomp": ("{seccompProfile: {type: Unconfined}}", "seccompProfile.type"),
    "apparmor": ("{appArmorProfile: {type: Unconfined}}", "appArmorProfile.type"),
    "proc": ("{procMount: Unmasked}", "procMount"),
    "selinux type": ("{seLinuxOptions: {type: spc_t}}", "seLinuxOptions"),
    "selinux user": ("{seLinuxOptions: {user: a}}", "seLinuxOptions"),
    "windows": ("{windowsOptions: {hostProcess: true}}", "windowsOptions.hostProcess"),
}
for _name, (_context, _path) in SECURITY.items():
    for _key in ("init-containers", "extra-containers"):
        REFUSED[f"{_key}: {_name}"] = (
            f"{_key}: [{{name: a, image: 'a:1', security-context: {_context}}}]",
            f"{_key}[0].security-context.{_path}",
            "Pod Security `restricted`",
        )
