// The External Secrets Operator for one machine: its own controllers of stores and secrets and its own validating
// webhooks in one process that listens on loopback only. The operator's own command serves the webhooks on all
// interfaces.
package main

import (
	"flag"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	esv1 "github.com/external-secrets/external-secrets/apis/externalsecrets/v1"
	genv1alpha1 "github.com/external-secrets/external-secrets/apis/generators/v1alpha1"
	"github.com/external-secrets/external-secrets/pkg/controllers/common"
	"github.com/external-secrets/external-secrets/pkg/controllers/externalsecret"
	"github.com/external-secrets/external-secrets/pkg/controllers/externalsecret/esmetrics"
	ctrlmetrics "github.com/external-secrets/external-secrets/pkg/controllers/metrics"
	"github.com/external-secrets/external-secrets/pkg/controllers/secretstore"
	"github.com/external-secrets/external-secrets/pkg/controllers/secretstore/ssmetrics"
	"github.com/external-secrets/external-secrets/pkg/feature"
)

const loopback = "127.0.0.1"

func main() {
	health := flag.String("health", loopback+":0", "address at which readiness is asked")
	port := flag.Int("webhook-port", 0, "port of the validating webhooks")
	certificate := flag.String("webhook-certificate", "", "file of the webhooks' certificate")
	key := flag.String("webhook-key", "", "file of its key, in the same folder")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	registerClouds()

	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(esv1.AddToScheme(scheme))
	utilruntime.Must(genv1alpha1.AddToScheme(scheme))
	// The controllers count with these labels, whether anybody asks for the metrics or not.
	ctrlmetrics.SetUpLabelNames(false)
	esmetrics.SetUpMetrics()
	ssmetrics.SetUpMetrics()

	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Scheme:                 scheme,
		Metrics:                server.Options{BindAddress: "0"},
		HealthProbeBindAddress: *health,
		WebhookServer: webhook.NewServer(webhook.Options{
			Host: loopback, Port: *port,
			CertDir: filepath.Dir(*certificate), CertName: filepath.Base(*certificate), KeyName: filepath.Base(*key),
		}),
		Client: client.Options{Cache: &client.CacheOptions{
			DisableFor: []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}},
		}},
	})
	exitOn(err)
	secrets, err := common.BuildManagedSecretClient(manager, "")
	exitOn(err)
	exitOn((&secretstore.StoreReconciler{
		Client: manager.GetClient(), Log: ctrl.Log.WithName("SecretStore"), Scheme: scheme,
		ControllerClass: "default", RequeueInterval: 5 * time.Minute,
	}).SetupWithManager(manager, options()))
	exitOn((&externalsecret.Reconciler{
		Client: manager.GetClient(), SecretClient: secrets, Log: ctrl.Log.WithName("ExternalSecret"), Scheme: scheme,
		RestConfig: manager.GetConfig(), ControllerClass: "default", RequeueInterval: time.Hour, EnableFloodGate: true,
	}).SetupWithManager(manager, options()))
	exitOn((&esv1.SecretStore{}).SetupWebhookWithManager(manager))
	exitOn((&esv1.ExternalSecret{}).SetupWebhookWithManager(manager))
	exitOn(manager.AddReadyzCheck("ping", healthz.Ping))
	exitOn(manager.AddReadyzCheck("webhooks", manager.GetWebhookServer().StartedChecker()))
	for _, one := range feature.Features() {
		if one.Initialize != nil {
			one.Initialize()
		}
	}
	exitOn(manager.Start(ctrl.SetupSignalHandler()))
}

func options() controller.Options {
	return controller.Options{MaxConcurrentReconciles: 1, RateLimiter: common.BuildRateLimiter()}
}

func exitOn(err error) {
	if err != nil {
		ctrl.Log.Error(err, "the operator cannot go on")
		os.Exit(1)
	}
}
