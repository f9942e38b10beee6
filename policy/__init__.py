"""The policy pack: what a security team asks of a Kestra stack, judged at every preview and update."""
