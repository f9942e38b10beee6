// Kestra Enterprise in production, its secrets in HashiCorp Vault, as one component (docs/package.md). Put your own hosts,
// names and digest in place of those below.
package main

import (
	kestra "example.com/pulumi-kestra-platform/sdk/go/kestra-platform"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(program)
}

func program(ctx *pulumi.Context) error {
	settings := config.New(ctx, "")
	namespace := settings.Get("kestraNamespace")
	if namespace == "" {
		namespace = "kestra-production"
	}
	two := kestra.ComponentArgs{Replicas: pulumi.Int(2)}
	platform, err := kestra.NewKestraStack(ctx, "kestra", &kestra.KestraStackArgs{
		Edition: pulumi.String("enterprise"),
		// This component writes the secrets, Kestra only reads them.
		Secret: kestra.SecretManagerArgs{
			Type:     pulumi.String("vault"),
			ReadOnly: pulumi.Bool(true),
			Vault: kestra.VaultArgs{
				Address:    pulumi.String(settings.Require("vaultAddress")),
				RootEngine: pulumi.String(namespace),
				// Kestra logs in with its own service account; there is no credential.
				Kubernetes: kestra.VaultKubernetesArgs{Path: pulumi.String(namespace)},
			},
			Cache: kestra.CacheArgs{
				Enabled:          pulumi.Bool(true),
				MaximumSize:      pulumi.Int(1000),
				ExpireAfterWrite: pulumi.String("60s"),
			},
			Isolation: kestra.IsolationArgs{
				Enabled:        pulumi.Bool(true),
				DeniedServices: pulumi.ToStringArray([]string{"EXECUTOR", "INDEXER", "SCHEDULER"}),
			},
		},
		Identity: kestra.IdentityArgs{
			Vault: kestra.VaultIdentityArgs{
				KubernetesHost:          pulumi.String(settings.Require("kubernetesHost")),
				KubernetesCaCertificate: pulumi.String(settings.Require("kubernetesCaCertificate")),
				AuditFile:               pulumi.String("stdout"),
				TokenTtl:                pulumi.String("15m"),
				TokenMaxTtl:             pulumi.String("1h"),
			},
		},
		DeclaredSecrets: kestra.DeclaredSecretMap{
			"API_TOKEN": kestra.DeclaredSecretArgs{
				Namespace: pulumi.String("company.team"),
				Value:     settings.RequireSecret("apiToken"),
				Tags:      pulumi.StringMap{"rotation": pulumi.String("external")},
			},
			"DATABASE_PASSWORD": kestra.DeclaredSecretArgs{
				Namespace: pulumi.String("company.team"),
				Generate:  kestra.GenerateArgs{Length: pulumi.Int(40)},
				Tags:      pulumi.StringMap{"rotation": pulumi.String("external")},
			},
		},
		Endpoints: kestra.EndpointsArgs{
			All: kestra.AllEndpointsArgs{
				BasicAuth: kestra.EndpointsBasicAuthArgs{Username: pulumi.String("monitoring")},
			},
			Env:    kestra.EnvEndpointArgs{Enabled: pulumi.Bool(false)},
			Health: kestra.HealthEndpointArgs{DetailsVisible: pulumi.String("NEVER")},
		},
		Security: kestra.SecurityArgs{
			SuperAdmin: kestra.SuperAdminArgs{Username: pulumi.String("admin@example.com")},
		},
		Configurations: kestra.ConfigurationsArgs{DeleteFilesOnStart: pulumi.Bool(true)},
		// Variables of the pods, from the Secret kestra-platform, which Kestra puts in place.
		Datasources: kestra.DatasourceMap{
			"postgres": kestra.DatasourceArgs{
				Url:             pulumi.String("jdbc:postgresql://postgres.databases.svc:5432/kestra"),
				DriverClassName: pulumi.String("org.postgresql.Driver"),
				Username:        pulumi.String("kestra"),
				Password:        pulumi.String("${POSTGRES_PASSWORD}"),
			},
		},
		Queue:      kestra.QueueArgs{Type: pulumi.String("postgres")},
		Repository: kestra.RepositoryArgs{Type: pulumi.String("postgres")},
		Storage: kestra.StorageArgs{
			Type: pulumi.String("minio"),
			Minio: kestra.MinioStorageArgs{
				Endpoint:  pulumi.String("minio.storage.svc"),
				Port:      pulumi.Int(9000),
				Secure:    pulumi.Bool(true),
				Bucket:    pulumi.String(namespace),
				AccessKey: pulumi.String("${MINIO_ACCESS_KEY}"),
				SecretKey: pulumi.String("${MINIO_SECRET_KEY}"),
			},
		},
		Deployment: kestra.DeploymentArgs{
			Namespace: pulumi.String(namespace),
			Mode:      pulumi.String("distributed"),
			Url:       pulumi.String("https://kestra.example.com/"),
			Image: kestra.ImageArgs{
				Tag:    pulumi.String("v1.3.31"),
				Digest: pulumi.String("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
			},
			EnvironmentFrom:   pulumi.ToStringArray([]string{"kestra-platform"}),
			DatabaseAuthority: kestra.DatabaseAuthorityArgs{ConfigMap: pulumi.String("database-authority")},
			Ingress: kestra.IngressArgs{
				Host:      pulumi.String("kestra.example.com"),
				ClassName: pulumi.String("nginx"),
				TlsSecret: pulumi.String("kestra-tls"),
			},
			NetworkPolicy: kestra.NetworkPolicyArgs{
				IngressNamespace:    pulumi.String("ingress-nginx"),
				MonitoringNamespace: pulumi.String("monitoring"),
				EgressPorts:         pulumi.ToIntArray([]int{443, 9000}),
			},
			Protect: pulumi.Bool(true),
			Components: kestra.ComponentsArgs{
				Webserver: two,
				Executor:  two,
				Scheduler: two,
				Indexer:   two,
				Worker:    kestra.ComponentArgs{Replicas: pulumi.Int(3), WorkerThreads: pulumi.Int(16)},
			},
		},
		Tags: kestra.TagSettingsArgs{
			Application: pulumi.String("kestra"),
			Environment: pulumi.String("production"),
			Owner:       pulumi.String("platform"),
			DataClass:   pulumi.String("confidential"),
		},
	})
	if err != nil {
		return err
	}
	ctx.Export("endpoint", platform.Endpoint)
	ctx.Export("secretIds", platform.SecretIds)
	ctx.Export("generated", platform.Generated)
	return nil
}
