import api.Engine;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.kestra.core.models.executions.Execution;
import io.kestra.core.server.Service;
import io.kestra.core.utils.ExecutorsUtils;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.ApplicationContextBuilder;
import io.micronaut.context.env.Environment;
import io.micronaut.runtime.server.EmbeddedServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * `kestra server COMPONENT` of what Kestra publishes: its engine, and its management endpoints with their log-in.
 *
 * Command line and web server are not published. This class stands in for the one, Api for the part of the other
 * that `verify` asks.
 */
public class Server {
    static final String NOTICE = "This is not Kestra's image. It runs Kestra's engine and management endpoints from Maven artifacts; "
        + "command line and web server are stand-ins (docs/real-pods.md).";
    /** Where `verify` asks what this process bound; only from within the pod. */
    static final int INSPECTION_PORT = 9099;
    static final Pattern DATABASE = Pattern.compile("jdbc:(postgresql|mysql)://([^/?;]+)/([^?;]*).*");

    public static void main(String[] arguments) {
        System.out.println(NOTICE);
        try {
            if (arguments.length < 2 || !arguments[0].equals("server")) {
                throw new IllegalArgumentException("Usage: kestra server COMPONENT [--thread=N | --worker-thread=N] [--worker-group=KEY]");
            }
            serve(arguments);
        } catch (Throwable error) {
            System.err.println("Kestra does not start: " + Harness.words(error));
            System.exit(1);
        }
    }

    static void serve(String[] arguments) throws Exception {
        long start = System.currentTimeMillis();
        String component = arguments[1];
        Map<String, Object> replaced = replacements();
        replaced.forEach((name, value) -> System.out.println("stand-in: " + name + " = " + value));
        replaced.put("kestra.server-type", component.toUpperCase());
        ApplicationContext context = builder().properties(replaced).build();
        context.registerSingleton(Engine.class, engine(context));
        context.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(context)));
        deleteConfiguration(context);
        ExecutorService pool = Executors.newCachedThreadPool();
        CompletableFuture<List<Service>> running = new CompletableFuture<>();
        inspect(context, running, replaced.keySet(), pool);
        System.out.println("listens on " + context.getBean(EmbeddedServer.class).start().getURL());
        int threads = Integer.parseInt(option(arguments, "--(worker-)?thread", String.valueOf(4 * Runtime.getRuntime().availableProcessors())));
        // Kestra's own threads: where a component cannot start, or ends by an error, they end the process.
        ExecutorService components = context.getBean(ExecutorsUtils.class).cachedThreadPool("server");
        List<Service> services = Release.start(component, threads, option(arguments, "--worker-group", null), context, components);
        Harness.until(() -> services.stream().allMatch(service -> service.getState() == Service.ServiceState.RUNNING));
        services.forEach(service -> System.out.println(service.getType() + " " + service.getState()));
        running.complete(services);
        System.out.println("started after " + (System.currentTimeMillis() - start) + " ms");
        // As Kestra's commands do: a Kestra that cannot go on closes its context, and with that the process ends.
        while (context.isRunning()) {
            Thread.sleep(500);
        }
        System.exit(0);
    }

    static ApplicationContextBuilder builder() {
        return ApplicationContext.builder().mainClass(Server.class).deduceEnvironment(false).environments(Environment.CLI);
    }

    static Engine engine(ApplicationContext context) {
        return new Engine() {
            public void run(Execution execution) throws Exception {
                Release.run(context, execution);
            }

            public Map<String, Object> outputs(Execution ended) throws Exception {
                return Release.outputs(context, ended);
            }

            public List<String> logs(Execution ended) {
                return Release.logs(context, ended);
            }
        };
    }

    static void close(ApplicationContext context) {
        long start = System.currentTimeMillis();
        System.out.println("asked to end");
        context.close();
        System.out.println("ended after " + (System.currentTimeMillis() - start) + " ms");
    }

    /** What a configuration names and the artifacts lack, and what takes its place. */
    static Map<String, Object> replacements() {
        Map<String, Object> replaced = new TreeMap<>();
        try (ApplicationContext context = builder().build()) {
            Environment environment = context.getEnvironment().start();
            for (String kind : List.of("postgres", "mysql")) {
                String source = "datasources." + kind;
                var address = DATABASE.matcher(environment.getProperty(source + ".url", String.class).orElse(""));
                if (address.matches()) {
                    replaced.put(source + ".url", "jdbc:h2:tcp://" + address.group(2).replaceAll(".*@", "") + "/" + address.group(3) + ";TIME ZONE=UTC;LOCK_TIMEOUT=60000");
                    replaced.put(source + ".driver-class-name", "org.h2.Driver");
                    replaced.put("flyway." + source + ".enabled", true);
                    replaced.put("flyway." + source + ".locations", List.of("classpath:migrations/h2"));
                }
            }
            for (String part : List.of("queue", "repository")) {
                String type = environment.getProperty("kestra." + part + ".type", String.class).orElse("none");
                if (type.matches("postgres|mysql")) {
                    replaced.put("kestra." + part + ".type", "h2");
                } else if (!type.matches("h2|memory")) {
                    throw new IllegalStateException("kestra." + part + ".type is " + type + ", of which no artifact is published");
                }
            }
            String storage = environment.getProperty("kestra.storage.type", String.class).orElse("none");
            if (!storage.equals("local")) {
                replaced.put("kestra.storage.type", "local");
                replaced.put("kestra.storage.local.base-path", "/tmp/storage");
            }
        }
        return replaced;
    }

    /** As a listener of Kestra's command line does. Source: DeleteConfigurationApplicationListeners, kestra-io/kestra. */
    static void deleteConfiguration(ApplicationContext context) throws IOException {
        if (!context.getProperty("kestra.configurations.delete-files-on-start", Boolean.class).orElse(false)) {
            return;
        }
        for (var source : context.getEnvironment().getPropertySources()) {
            try {
                if (Files.deleteIfExists(Path.of(source.getName()))) {
                    System.out.println("deleted " + source.getName());
                }
            } catch (InvalidPathException noFile) {
                continue;
            }
        }
    }

    /** The value of `--name=value` or `--name value`. */
    static String option(String[] arguments, String name, String otherwise) {
        for (int i = 2; i < arguments.length; i++) {
            if (arguments[i].matches(name) && i + 1 < arguments.length) {
                return arguments[i + 1];
            }
            if (arguments[i].matches(name + "=.*")) {
                return arguments[i].substring(arguments[i].indexOf('=') + 1);
            }
        }
        return otherwise;
    }

    /** Listens before the management endpoints do, and answers when the services run. */
    static void inspect(ApplicationContext context, CompletableFuture<List<Service>> running, Set<String> replaced, ExecutorService pool) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", INSPECTION_PORT), 0);
        server.createContext("/", exchange -> {
            ObjectNode out = Harness.JSON.createObjectNode();
            try {
                JsonNode asked = Harness.JSON.readTree(exchange.getRequestBody());
                Harness.bindings(context, asked.path("leaves"), out.putObject("bound"));
                out.set("replaced", Harness.JSON.valueToTree(replaced));
                ObjectNode states = out.putObject("services");
                running.get(2, TimeUnit.MINUTES).forEach(service -> states.put(service.getType().name(), service.getState().name()));
                ObjectNode tables = out.putObject("tables");
                for (JsonNode text : asked.path("search")) {
                    tables.set(text.asText(), Harness.JSON.valueToTree(Harness.holding(context, text.asText())));
                }
            } catch (Throwable error) {
                out.put("error", Harness.words(error));
            }
            answer(exchange, Harness.JSON.writeValueAsBytes(out));
        });
        server.setExecutor(pool);
        server.start();
    }

    private static void answer(HttpExchange exchange, byte[] body) throws IOException {
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
