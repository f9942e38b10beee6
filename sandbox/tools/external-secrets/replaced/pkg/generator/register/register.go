// Package register names the generators that are built in: those whose server the sandbox has.
package register

import (
	_ "github.com/external-secrets/external-secrets/pkg/generator/vault"
)
