import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.kestra.core.encryption.EncryptionService;
import io.kestra.core.models.executions.Execution;
import io.kestra.core.repositories.ExecutionRepositoryInterface;
import io.kestra.core.repositories.FlowRepositoryInterface;
import io.kestra.core.repositories.LocalFlowRepositoryLoader;
import io.kestra.core.runners.FlowInputOutput;
import io.kestra.core.server.ServerConfig;
import io.kestra.core.server.Service;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.env.Environment;
import io.micronaut.core.type.Argument;
import java.io.File;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Boots a real Kestra with a configuration and says what it bound and how flows ran.
 *
 * What differs between Kestra's versions is in Release, one beside this file for each.
 *
 * Reads a job as JSON from standard input and writes one line of JSON to standard output; both may hold
 * secrets, so neither is ever written to a file.
 */
public class Harness {
    static final ObjectMapper JSON = new ObjectMapper();
    static final String TENANT = "main";

    public static void main(String[] arguments) throws Exception {
        JsonNode job = JSON.readTree(System.in);
        ObjectNode result = JSON.createObjectNode();
        ArrayNode runs = result.putArray("runs");
        for (JsonNode run : job.get("runs")) {
            runs.add(execute(run));
        }
        System.out.println(JSON.writeValueAsString(result));
        System.out.flush();
        System.exit(0);
    }

    static ObjectNode execute(JsonNode run) {
        ObjectNode out = JSON.createObjectNode();
        System.setProperty("micronaut.config.files", run.get("files").asText());
        try (ApplicationContext context = ApplicationContext.builder().deduceEnvironment(false).environments(Environment.CLI).start()) {
            bindings(context, run.get("leaves"), out.putObject("bound"));
            if (run.has("flows")) {
                flows(context, run, out);
            }
        } catch (Throwable error) {
            out.put("error", words(error));
        }
        return out;
    }

    /** What the configuration gives for each leaf; typed where Kestra's open core has a bean for it. */
    static void bindings(ApplicationContext context, JsonNode leaves, ObjectNode out) {
        Map<String, Object> typed = new HashMap<>();
        record("kestra.server", context.getBean(ServerConfig.class), typed);
        leaves.properties().forEach(leaf -> {
            String path = leaf.getKey();
            ObjectNode found = out.putObject(path);
            if (typed.containsKey(path)) {
                found.put("by", "bean");
                found.put("value", text(typed.get(path)));
                return;
            }
            found.put("by", "property");
            try {
                Optional<?> value = switch (leaf.getValue().asText()) {
                    case "list" -> context.getProperty(path, Argument.listOf(Object.class));
                    case "duration" -> context.getProperty(path, Duration.class);
                    default -> context.getProperty(path, String.class);
                };
                value.ifPresent(v -> found.set("value", JSON.valueToTree(v instanceof Duration d ? d.toString() : v)));
            } catch (RuntimeException error) {
                found.put("error", error.getClass().getSimpleName());
            }
        });
    }

    static void record(String path, Object value, Map<String, Object> out) {
        for (RecordComponent part : value.getClass().getRecordComponents()) {
            String name = path + "." + part.getName().replaceAll("([a-z0-9])([A-Z])", "$1-$2").toLowerCase();
            try {
                Object inner = part.getAccessor().invoke(value);
                if (inner != null && inner.getClass().isRecord()) {
                    record(name, inner, out);
                } else if (inner != null) {
                    out.put(name, inner);
                }
            } catch (ReflectiveOperationException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    static String text(Object value) {
        return String.valueOf(value);
    }

    static void flows(ApplicationContext context, JsonNode run, ObjectNode out) throws Exception {
        ExecutorService pool = Executors.newCachedThreadPool();
        List<Service> services = Release.start("standalone", 4, null, context, pool);
        until(() -> services.stream().allMatch(s -> s.getState() == Service.ServiceState.RUNNING));
        ObjectNode states = out.putObject("services");
        services.forEach(s -> states.put(s.getType().name(), s.getState().name()));
        context.getBean(LocalFlowRepositoryLoader.class).load(TENANT, new File(run.get("flowFolder").asText()));
        ArrayNode results = out.putArray("flows");
        for (JsonNode flow : run.get("flows")) {
            results.add(flow(context, flow));
        }
        out.set("tables", JSON.valueToTree(tables(context)));
        pool.shutdown();
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    /** Waits for a minute at most; what did not come is told by what follows. */
    static void until(Condition condition) throws Exception {
        long end = System.currentTimeMillis() + 60_000;
        while (!condition.holds() && System.currentTimeMillis() < end) {
            Thread.sleep(20);
        }
    }

    static ObjectNode flow(ApplicationContext context, JsonNode wanted) throws Exception {
        ObjectNode out = JSON.createObjectNode();
        out.put("id", wanted.get("id").asText());
        var flow = context.getBean(FlowRepositoryInterface.class).findById(TENANT, wanted.get("namespace").asText(), wanted.get("id").asText()).orElseThrow();
        Map<String, Object> inputs = new HashMap<>();
        wanted.get("inputs").properties().forEach(e -> inputs.put(e.getKey(), e.getValue().asText()));
        FlowInputOutput io = context.getBean(FlowInputOutput.class);
        Execution execution;
        try {
            execution = Execution.newExecution(flow, (f, e) -> io.readExecutionInputs(f, e, inputs), null, Optional.empty());
        } catch (Exception error) {
            out.put("state", "REFUSED");
            out.put("message", words(error));
            return out;
        }
        Release.run(context, execution);
        ExecutionRepositoryInterface repository = context.getBean(ExecutionRepositoryInterface.class);
        String given = wanted.path("given").asText();
        Set<String> whileRunning = new TreeSet<>();
        until(() -> {
            whileRunning.addAll(holding(context, given));
            return repository.findById(TENANT, execution.getId()).filter(e -> e.getState().isTerminated()).isPresent();
        });
        out.set("whileRunning", JSON.valueToTree(whileRunning));
        Execution ended = repository.findById(TENANT, execution.getId()).orElse(null);
        if (ended == null) {
            out.put("state", "NONE");
            return out;
        }
        out.put("state", ended.getState().getCurrent().name());
        Map<String, Object> outputs = Release.outputs(context, ended);
        out.set("outputs", JSON.valueToTree(outputs));
        if (ended.getState().isSuccess()) {
            // Every flow here logs, and a log comes a moment after the end.
            until(() -> !Release.logs(context, ended).isEmpty());
        }
        // 1.3 removes what it handed to the worker a moment after the end.
        until(() -> holding(context, given).isEmpty());
        Release.logs(context, ended).forEach(out.putArray("logs")::add);
        for (String kind : List.of("input", "output")) {
            if (wanted.has(kind)) {
                Map<String, Object> stored = kind.equals("input") ? ended.getInputs() : outputs;
                decrypt(wanted, stored == null ? null : stored.get(wanted.get(kind).asText()), out.putObject(kind));
            }
        }
        return out;
    }

    static void decrypt(JsonNode wanted, Object stored, ObjectNode out) {
        if (stored instanceof Map<?, ?> map && map.get("value") != null) {
            out.put("storedType", String.valueOf(map.get("type")));
            String value = String.valueOf(map.get("value"));
            out.put("decrypted", decrypted(wanted.get("key").asText(), value));
            out.put("otherKey", decrypted(wanted.get("otherKey").asText(), value) == null ? "refused" : "decrypts");
        }
    }

    static String decrypted(String key, String value) {
        try {
            return EncryptionService.decrypt(key, value);
        } catch (Exception error) {
            return null;
        }
    }

    /** Tables with a text in one of their cells; none for an empty text. */
    static List<String> holding(ApplicationContext context, String text) throws Exception {
        if (text.isEmpty()) {
            return List.of();
        }
        return tables(context).entrySet().stream().filter(e -> e.getValue().contains(text)).map(Map.Entry::getKey).toList();
    }

    /** Every row of every table as text, to search for what must not be there. */
    static Map<String, String> tables(ApplicationContext context) throws Exception {
        Map<String, String> all = new TreeMap<>();
        String source = List.of("h2", "postgres", "mysql").stream().map(name -> "datasources." + name)
            .filter(name -> context.containsProperty(name + ".url")).findFirst().orElseThrow();
        String url = context.getProperty(source + ".url", String.class).orElseThrow();
        String user = context.getProperty(source + ".username", String.class).orElse("");
        String password = context.getProperty(source + ".password", String.class).orElse("");
        try (var connection = java.sql.DriverManager.getConnection(url, user, password);
             var tables = connection.createStatement().executeQuery("select table_name from information_schema.tables where table_schema = 'PUBLIC'")) {
            while (tables.next()) {
                StringBuilder text = new StringBuilder();
                try (var rows = connection.createStatement().executeQuery("select * from \"" + tables.getString(1) + "\"")) {
                    int columns = rows.getMetaData().getColumnCount();
                    while (rows.next()) {
                        for (int i = 1; i <= columns; i++) {
                            text.append(cell(rows, i)).append('\n');
                        }
                    }
                }
                all.put(tables.getString(1).toLowerCase(), text.toString());
            }
        }
        return all;
    }

    /** A cell as text; binary ones byte for byte, since they hold text too (outputs on 2.0). */
    static String cell(ResultSet rows, int column) throws SQLException {
        return switch (rows.getMetaData().getColumnType(column)) {
            case Types.BLOB, Types.BINARY, Types.VARBINARY, Types.LONGVARBINARY -> {
                byte[] bytes = rows.getBytes(column);
                yield bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
            }
            default -> rows.getString(column);
        };
    }

    static String words(Throwable error) {
        StringBuilder out = new StringBuilder();
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            out.append(out.isEmpty() ? "" : ": ").append(cause.getClass().getSimpleName()).append(": ")
                .append(String.valueOf(cause.getMessage()).replace('\n', ' '));
        }
        return out.toString();
    }
}
