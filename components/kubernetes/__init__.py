"""The Kubernetes objects of a Kestra deployment, as plain arguments of pulumi-kubernetes."""
