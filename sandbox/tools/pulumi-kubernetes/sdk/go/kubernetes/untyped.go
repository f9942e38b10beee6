// Package kubernetes has what the provider takes from Pulumi's typed Go SDK, of which one package alone
// takes minutes to compile. Charts and groups of YAML files, which need the rest, are not served.
package kubernetes

import (
	"context"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// UntypedArgs is an object of any kind.
type UntypedArgs map[string]any

// ElementType implements pulumi.Input.
func (UntypedArgs) ElementType() reflect.Type {
	return reflect.TypeOf((*map[string]any)(nil)).Elem()
}

// ToMapOutput makes an output of it.
func (args UntypedArgs) ToMapOutput() pulumi.MapOutput {
	return pulumi.ToMap(args).ToMapOutputWithContext(context.Background())
}
