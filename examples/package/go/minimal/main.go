// Open-source Kestra with a PostgreSQL that runs already: the least that it needs (docs/package.md).
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
	platform, err := kestra.NewKestraStack(ctx, "kestra", &kestra.KestraStackArgs{
		Server: kestra.ServerArgs{
			BasicAuth: kestra.BasicAuthArgs{Username: pulumi.String("admin@example.com")},
		},
		Datasources: kestra.DatasourceMap{
			"postgres": kestra.DatasourceArgs{
				Url:      pulumi.String("jdbc:postgresql://postgres.databases.svc:5432/kestra"),
				Username: pulumi.String("kestra"),
				Password: settings.RequireSecret("databasePassword"),
			},
		},
		Queue:      kestra.QueueArgs{Type: pulumi.String("postgres")},
		Repository: kestra.RepositoryArgs{Type: pulumi.String("postgres")},
		Storage:    kestra.StorageArgs{Type: pulumi.String("local")},
	})
	if err != nil {
		return err
	}
	ctx.Export("endpoint", platform.Endpoint)
	ctx.Export("generated", platform.Generated)
	return nil
}
