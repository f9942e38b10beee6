import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.grpc.ChannelCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerCredentials;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.kestra.controller.DefaultController;
import io.kestra.controller.GrpcChannelManager;
import io.kestra.controller.config.ControllerConfiguration;
import io.kestra.controller.config.GrpcChannelConfiguration;
import io.kestra.controller.config.GrpcConfiguration;
import io.kestra.controller.config.WorkerControllersConfiguration;
import io.kestra.controller.grpc.WorkerControllerService;
import io.kestra.core.metrics.MetricRegistry;
import io.kestra.core.server.Service;
import io.kestra.core.server.ServiceStateChangeEvent;
import io.kestra.core.storages.StorageInterface;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.env.Environment;
import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * Asks a real controller of 2.0 over the channels that real workers make: as the open-source classes are, and with the
 * two methods overridden that they leave for the Enterprise Edition (`createServerCredentials`,
 * `createChannelCredentials`), which take the rendered settings here as Kestra documents them.
 */
public class WorkerChannel {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        JsonNode job = JSON.readTree(System.in);
        ObjectNode result = JSON.createObjectNode();
        for (JsonNode run : job.get("runs")) {
            result.withArray("runs").add(execute(run));
        }
        System.out.println(JSON.writeValueAsString(result));
        System.out.flush();
        System.exit(0);
    }

    static ObjectNode execute(JsonNode run) throws Exception {
        System.setProperty("micronaut.config.files", run.get("files").asText());
        ObjectNode out = JSON.createObjectNode();
        try (ApplicationContext context = ApplicationContext.builder().deduceEnvironment(false).environments(Environment.CLI).start()) {
            DefaultController controller = run.get("overridden").asBoolean() ? new TlsController(context) : context.getBean(DefaultController.class);
            controller.start();
            long end = System.currentTimeMillis() + 60_000;
            while (controller.getState() != Service.ServiceState.RUNNING && System.currentTimeMillis() < end) {
                Thread.sleep(20);
            }
            for (JsonNode ask : run.get("asks")) {
                if (ask.has("replace")) {
                    // As cert-manager writes a renewed certificate into the volume of a running pod.
                    Files.copy(Path.of(ask.get("with").asText()), Path.of(ask.get("replace").asText()), StandardCopyOption.REPLACE_EXISTING);
                }
                out.put(ask.get("name").asText(), answer(context, ask));
            }
            out.put("credentials created", controller instanceof TlsController tls ? tls.created : 0);
            controller.close();
        }
        return out;
    }

    /** What the controller's health service says to a worker, or the status and cause of its refusal. */
    static String answer(ApplicationContext context, JsonNode ask) {
        GrpcChannelManager worker = ask.get("tls").asBoolean() ? new TlsWorker(context, ask) : channel(context);
        try {
            worker.init();
            return HealthGrpc.newBlockingStub(worker.getDefaultChannel()).withDeadlineAfter(10, TimeUnit.SECONDS)
                .check(HealthCheckRequest.newBuilder().setService("kestra.controller").build()).getStatus().name();
        } catch (StatusRuntimeException error) {
            Throwable cause = error;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            return error.getStatus().getCode() + ": " + cause.getClass().getSimpleName() + ": " + cause.getMessage();
        } finally {
            worker.close();
        }
    }

    static GrpcChannelManager channel(ApplicationContext context) {
        return new GrpcChannelManager(context.getBean(GrpcChannelConfiguration.class), context.getBean(GrpcConfiguration.class),
            context.getBean(WorkerControllersConfiguration.class), () -> context.getBean(StorageInterface.class));
    }

    static KeyStore store(String path, String password) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(path)) {
            store.load(file, password.toCharArray());
        }
        return store;
    }

    static KeyManagerFactory keys(String path, String password) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store(path, password), password.toCharArray());
        return keys;
    }

    static TrustManagerFactory trust(String path, String password) throws Exception {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store(path, password));
        return trust;
    }

    static String tls(ApplicationContext context, String key) {
        return context.getProperty("kestra.grpc.tls." + key, String.class).orElseThrow();
    }

    static class TlsController extends DefaultController {
        private final ApplicationContext context;
        int created;

        TlsController(ApplicationContext context) {
            super(List.copyOf(context.getBeansOfType(WorkerControllerService.class)), context.getBean(GrpcConfiguration.class),
                context.getBean(ControllerConfiguration.class), context.getBean(MetricRegistry.class), context.getEventPublisher(ServiceStateChangeEvent.class));
            this.context = context;
        }

        @Override
        protected ServerCredentials createServerCredentials() {
            created++;
            try {
                return TlsServerCredentials.newBuilder()
                    .keyManager(keys(tls(context, "key-store.path"), tls(context, "key-store.password")).getKeyManagers())
                    .trustManager(trust(tls(context, "trust-store.path"), tls(context, "trust-store.password")).getTrustManagers())
                    .clientAuth(TlsServerCredentials.ClientAuth.valueOf(tls(context, "client-auth")))
                    .build();
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }
    }

    static class TlsWorker extends GrpcChannelManager {
        private final ApplicationContext context;
        private final JsonNode ask;

        TlsWorker(ApplicationContext context, JsonNode ask) {
            super(context.getBean(GrpcChannelConfiguration.class), context.getBean(GrpcConfiguration.class),
                context.getBean(WorkerControllersConfiguration.class), () -> context.getBean(StorageInterface.class));
            this.context = context;
            this.ask = ask;
        }

        @Override
        protected ChannelCredentials createChannelCredentials() {
            try {
                String password = tls(context, "key-store.password");
                TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder()
                    .trustManager(trust(ask.get("trustStore").asText(), password).getTrustManagers());
                if (ask.has("keyStore")) {
                    builder.keyManager(keys(ask.get("keyStore").asText(), password).getKeyManagers());
                }
                return builder.build();
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }

        @Override
        protected ManagedChannelBuilder<?> configureChannel(ManagedChannelBuilder<?> builder) {
            ManagedChannelBuilder<?> configured = super.configureChannel(builder);
            return ask.path("override").asBoolean(true) ? configured.overrideAuthority(tls(context, "authority-override")) : configured;
        }
    }
}
