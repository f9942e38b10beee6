// Command evaluate-environment opens an environment of Pulumi ESC with Pulumi's own evaluator, and merges it with a stack
// file as Pulumi's engine does. Pulumi Cloud, which keeps environments and logs in to the clouds, is not asked: environments
// are files, and what a provider (fn::open) answers is in a file too.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	pulumiconfig "github.com/pulumi/pulumi/pkg/v3/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/esc"
	"github.com/pulumi/pulumi/sdk/v3/go/common/esc/eval"
	"github.com/pulumi/pulumi/sdk/v3/go/common/esc/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

func main() {
	folder := flag.String("environments", "", "folder with one file for each environment: <project>/<name>.yaml")
	answers := flag.String("answers", "", "JSON file: name of a provider to what it answers, all of it secret")
	project := flag.String("project", "", "Pulumi.yaml; with it the configuration of the stack is printed")
	stack := flag.String("stack", "", "the stack file")
	flag.Parse()
	result, err := run(*folder, *answers, *project, *stack, flag.Arg(0))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder, answers, project, stack, name string) (any, error) {
	ctx := context.Background()
	given := map[string]map[string]any{}
	if answers != "" {
		text, err := os.ReadFile(answers)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &given); err != nil {
			return nil, err
		}
	}
	files := files{folder}
	if project == "" {
		text, _, err := files.LoadEnvironment(ctx, name)
		if err != nil {
			return nil, err
		}
		opened, err := open(ctx, name, text, given, files)
		if err != nil {
			return nil, err
		}
		// What `pulumi env open --format detailed` prints.
		return esc.NewValue(opened.Properties), nil
	}
	return merge(ctx, project, stack, given, files)
}

func open(
	ctx context.Context, name string, text []byte, given map[string]map[string]any, files files,
) (*esc.Environment, error) {
	declared, diagnostics, err := eval.LoadYAMLBytes(name, text)
	if err != nil {
		return nil, err
	}
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	// What providers may ask for in the names of sessions.
	values, err := esc.NewExecContext(map[string]esc.Value{
		"pulumi": esc.NewValue(map[string]esc.Value{"user": esc.NewValue(map[string]esc.Value{
			"id": esc.NewValue("a-user"), "login": esc.NewValue("a-user"),
		})}),
	})
	if err != nil {
		return nil, err
	}
	opened, diagnostics := eval.EvalEnvironment(
		ctx, name, declared, plain{}, providers(given), files, values, eval.EvalOptions{})
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	return opened, nil
}

// merge returns each key of the configuration with its text and whether it is secret, as a program gets them.
func merge(
	ctx context.Context, project, stack string, given map[string]map[string]any, files files,
) (any, error) {
	declared, err := workspace.LoadProject(project)
	if err != nil {
		return nil, err
	}
	sink := diag.DefaultSink(os.Stderr, os.Stderr, diag.FormatOptions{Color: colors.Never})
	loaded, err := workspace.LoadProjectStack(sink, declared, stack)
	if err != nil {
		return nil, err
	}
	environment := esc.Value{}
	if definition := loaded.Environment.Definition(); len(definition) != 0 {
		opened, err := open(ctx, "yaml", definition, given, files)
		if err != nil {
			return nil, err
		}
		environment = opened.Properties["pulumiConfig"]
	}
	crypter := config.Base64Crypter
	if err := pulumiconfig.ValidateStackConfigAndApplyProjectConfig(
		ctx, "stack", declared, environment, loaded.Config, crypter, crypter); err != nil {
		return nil, err
	}
	texts, err := loaded.Config.Decrypt(crypter)
	if err != nil {
		return nil, err
	}
	secret := map[config.Key]bool{}
	for _, key := range loaded.Config.SecureKeys() {
		secret[key] = true
	}
	merged := map[string]any{}
	for key, text := range texts {
		merged[key.String()] = map[string]any{"value": text, "secret": secret[key]}
	}
	return merged, nil
}

type files struct{ folder string }

func (f files) LoadEnvironment(_ context.Context, name string) ([]byte, eval.Decrypter, error) {
	text, err := os.ReadFile(filepath.Join(f.folder, filepath.FromSlash(name)+".yaml"))
	return text, plain{}, err
}

func (f files) AuthorizeImport(context.Context, string, string, bool) error { return nil }

// plain takes secrets as they are written: `fn::secret` with a text, not one that Pulumi Cloud has encrypted.
type plain struct{}

func (plain) Decrypt(_ context.Context, value []byte) ([]byte, error) { return value, nil }

type providers map[string]map[string]any

func (p providers) LoadProvider(_ context.Context, name string) (esc.Provider, error) {
	answer, ok := p[name]
	if !ok {
		return nil, fmt.Errorf("no answer is given for the provider %s", name)
	}
	return provider{answer}, nil
}

func (p providers) LoadRotator(context.Context, string) (esc.Rotator, error) {
	return nil, errors.New("rotators are not opened here")
}

type provider struct{ answer map[string]any }

func (p provider) Schema() (*schema.Schema, *schema.Schema) { return schema.Always(), schema.Always() }

func (p provider) Open(context.Context, map[string]esc.Value, esc.EnvExecContext) (esc.Value, error) {
	return secretValue(p.answer), nil
}

func secretValue(answer any) esc.Value {
	if object, ok := answer.(map[string]any); ok {
		values := map[string]esc.Value{}
		for name, item := range object {
			values[name] = secretValue(item)
		}
		return esc.NewValue(values)
	}
	return esc.NewSecret(fmt.Sprint(answer))
}
