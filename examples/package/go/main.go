// Kestra Enterprise with Vault, as one component of a program in Go (docs/package.md).
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
		namespace = "kestra"
	}
	platform, err := kestra.NewKestraStack(ctx, "kestra", &kestra.KestraStackArgs{
		Edition: pulumi.String("enterprise"),
		Secret: kestra.SecretManagerArgs{
			Type:     pulumi.String("vault"),
			ReadOnly: pulumi.Bool(true),
			Vault: kestra.VaultArgs{
				Address:    pulumi.String(settings.Require("vaultAddress")),
				RootEngine: pulumi.String(namespace),
				Kubernetes: kestra.VaultKubernetesArgs{},
			},
		},
		Identity: kestra.IdentityArgs{
			Vault: kestra.VaultIdentityArgs{
				KubernetesHost:          pulumi.String(settings.Require("kubernetesHost")),
				KubernetesCaCertificate: pulumi.String(settings.Require("kubernetesCaCertificate")),
			},
		},
		DeclaredSecrets: kestra.DeclaredSecretMap{
			"API_TOKEN": kestra.DeclaredSecretArgs{
				Namespace: pulumi.String("company.team"),
				Value:     settings.RequireSecret("apiToken"),
			},
			"DATABASE_PASSWORD": kestra.DeclaredSecretArgs{
				Namespace: pulumi.String("company.team"),
				Generate:  kestra.GenerateArgs{Length: pulumi.Int(40)},
			},
		},
		Security: kestra.SecurityArgs{
			SuperAdmin: kestra.SuperAdminArgs{Username: pulumi.String("admin@example.com")},
		},
		Datasources: kestra.DatasourceMap{
			"postgres": kestra.DatasourceArgs{
				Url:      pulumi.String("jdbc:postgresql://postgres.databases.svc:5432/kestra"),
				Username: pulumi.String("kestra"),
				// A variable of the pods, which Kestra puts in place.
				Password: pulumi.String("${POSTGRES_PASSWORD}"),
			},
		},
		Queue:      kestra.QueueArgs{Type: pulumi.String("postgres")},
		Repository: kestra.RepositoryArgs{Type: pulumi.String("postgres")},
		Storage:    kestra.StorageArgs{Type: pulumi.String("local")},
		Deployment: kestra.DeploymentArgs{
			Namespace:       pulumi.String(namespace),
			EnvironmentFrom: pulumi.ToStringArray([]string{"kestra-platform"}),
		},
		Tags: kestra.TagSettingsArgs{Owner: pulumi.String("platform")},
	})
	if err != nil {
		return err
	}
	ctx.Export("endpoint", platform.Endpoint)
	ctx.Export("secretIds", platform.SecretIds)
	ctx.Export("generated", platform.Generated)
	return nil
}
