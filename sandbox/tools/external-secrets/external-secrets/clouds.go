package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	esv1 "github.com/external-secrets/external-secrets/apis/externalsecrets/v1"
)

// Google's own provider knows no other address than Google's, and Azure has no server on one machine. These stand in
// for both: they log in nowhere. Google's values come from the local API server, those of Azure are made up.
const googleAddress = "KESTRA_SANDBOX_GOOGLE"

var errReadOnly = errors.New("the sandbox only reads")

type reader func(ctx context.Context, ref esv1.ExternalSecretDataRemoteRef) ([]byte, error)

type standIn struct {
	reader func(provider *esv1.SecretStoreProvider) reader
}

func registerClouds() {
	esv1.Register(standIn{google}, &esv1.SecretStoreProvider{GCPSM: &esv1.GCPSMProvider{}}, esv1.MaintenanceStatusMaintained)
	esv1.Register(standIn{azure}, &esv1.SecretStoreProvider{AzureKV: &esv1.AzureKVProvider{}}, esv1.MaintenanceStatusMaintained)
}

func google(provider *esv1.SecretStoreProvider) reader {
	client := &http.Client{Timeout: 10 * time.Second}
	return func(ctx context.Context, ref esv1.ExternalSecretDataRemoteRef) ([]byte, error) {
		version := ref.Version
		if version == "" {
			version = "latest"
		}
		path := fmt.Sprintf("%s/v1/projects/%s/secrets/%s/versions/%s:access", os.Getenv(googleAddress),
			url.PathEscape(provider.GCPSM.ProjectID), url.PathEscape(ref.Key), url.PathEscape(version))
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		if err != nil {
			return nil, err
		}
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if response.StatusCode == http.StatusNotFound {
			return nil, esv1.NoSecretErr
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("the local Secret Manager answers %s for %s", response.Status, ref.Key)
		}
		var answer struct {
			Payload struct {
				Data string `json:"data"`
			} `json:"payload"`
		}
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			return nil, err
		}
		value, err := base64.StdEncoding.DecodeString(answer.Payload.Data)
		if err != nil {
			return nil, err
		}
		return property(value, ref)
	}
}

func azure(*esv1.SecretStoreProvider) reader {
	return func(_ context.Context, ref esv1.ExternalSecretDataRemoteRef) ([]byte, error) {
		return []byte("sandbox: Azure has no server here, which would have the value of " + ref.Key), nil
	}
}

func property(value []byte, ref esv1.ExternalSecretDataRemoteRef) ([]byte, error) {
	if ref.Property == "" {
		return value, nil
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(value, &fields); err != nil || fields[ref.Property] == nil {
		return nil, fmt.Errorf("key %s does not exist in secret %s", ref.Property, ref.Key)
	}
	var text string
	if json.Unmarshal(fields[ref.Property], &text) == nil {
		return []byte(text), nil
	}
	return fields[ref.Property], nil
}

func (s standIn) NewClient(_ context.Context, store esv1.GenericStore, _ client.Client, _ string) (esv1.SecretsClient, error) {
	return secretsClient{s.reader(store.GetSpec().Provider)}, nil
}

func (standIn) ValidateStore(esv1.GenericStore) (admission.Warnings, error) { return nil, nil }

func (standIn) Capabilities() esv1.SecretStoreCapabilities { return esv1.SecretStoreReadOnly }

type secretsClient struct {
	read reader
}

func (c secretsClient) GetSecret(ctx context.Context, ref esv1.ExternalSecretDataRemoteRef) ([]byte, error) {
	ref.Key = strings.TrimPrefix(ref.Key, "secret/")
	return c.read(ctx, ref)
}

func (secretsClient) Validate() (esv1.ValidationResult, error) {
	return esv1.ValidationResultReady, nil
}

func (secretsClient) Close(context.Context) error { return nil }

func (secretsClient) PushSecret(context.Context, *corev1.Secret, esv1.PushSecretData) error {
	return errReadOnly
}

func (secretsClient) DeleteSecret(context.Context, esv1.PushSecretRemoteRef) error {
	return errReadOnly
}

func (secretsClient) SecretExists(context.Context, esv1.PushSecretRemoteRef) (bool, error) {
	return false, errReadOnly
}

func (secretsClient) GetSecretMap(context.Context, esv1.ExternalSecretDataRemoteRef) (map[string][]byte, error) {
	return nil, errors.New("the sandbox reads secrets of this cloud one by one")
}

func (secretsClient) GetAllSecrets(context.Context, esv1.ExternalSecretFind) (map[string][]byte, error) {
	return nil, errors.New("the sandbox reads secrets of this cloud one by one")
}
