// Command pulumi-resource-kubernetes is Pulumi's official Kubernetes provider, built from its Go module.
// The long tests hold the sandbox's stand-in to it; nothing that a user runs needs it. Before 4.29.0 the
// provider takes over objects that exist without a word, so that it is no replacement for the stand-in.
package main

import (
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

const version = "4.25.0"

func main() {
	// The schema is for generators of SDKs and for imports, the mapping for converters from Terraform.
	provider.Serve("kubernetes", version, []byte(`{"name": "kubernetes"}`), []byte("{}"))
}
