import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.kestra.core.encryption.EncryptionService;
import io.kestra.core.models.executions.Execution;
import io.kestra.core.queues.QueueFactoryInterface;
import io.kestra.core.queues.QueueInterface;
import io.kestra.core.repositories.ExecutionRepositoryInterface;
import io.kestra.core.repositories.FlowRepositoryInterface;
import io.kestra.core.repositories.LogRepositoryInterface;
import io.kestra.core.services.ExecutionService;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.env.Environment;
import io.micronaut.core.type.Argument;
import io.micronaut.inject.qualifiers.Qualifiers;
import java.util.List;
import java.util.Map;

/**
 * Boots a real Kestra several times in a row on one database, and says what each boot reads of what is stored.
 *
 * Reads a job as JSON from standard input and writes one line of JSON; both hold secrets.
 */
public class Keys {
    public static void main(String[] arguments) throws Exception {
        JsonNode job = Harness.JSON.readTree(System.in);
        ObjectNode result = Harness.JSON.createObjectNode();
        ArrayNode runs = result.putArray("runs");
        for (JsonNode run : job.get("runs")) {
            runs.add(execute(run));
        }
        System.out.println(Harness.JSON.writeValueAsString(result));
        System.out.flush();
        System.exit(0);
    }

    static ObjectNode execute(JsonNode run) {
        ObjectNode out = Harness.JSON.createObjectNode();
        System.setProperty("micronaut.config.files", run.get("files").asText());
        try (ApplicationContext context = ApplicationContext.builder().deduceEnvironment(false).environments(Environment.CLI).start()) {
            Harness.flows(context, run, out);
            List<Execution> all = context.getBean(ExecutionRepositoryInterface.class).findAllAsync(Harness.TENANT).collectList().block();
            ArrayNode stored = out.putArray("stored");
            for (Execution execution : all) {
                stored.add(stored(context, execution));
            }
            out.set("holders", holders(context));
            for (JsonNode late : run.path("late")) {
                // Is given the stored text of an output that this boot's key does not open.
                for (JsonNode one : stored) {
                    if (one.get("read").has("output error")) {
                        ((ObjectNode) late.get("inputs")).set("stored", one.get("outputs").get("secret_output").get("value"));
                    }
                }
                ((ArrayNode) out.get("flows")).add(Harness.flow(context, late));
            }
            out.set("tables", Harness.JSON.valueToTree(Harness.tables(context)));
            ObjectNode replays = out.putObject("replays");
            for (JsonNode plain : run.path("replay")) {
                for (Execution execution : all) {
                    if (execution.getId().equals(plain.asText()) || plain.asText().equals("every " + execution.getFlowId())) {
                        replays.set(execution.getId(), replay(context, execution));
                    }
                }
            }
        } catch (Throwable error) {
            out.put("error", Harness.words(error));
        }
        return out;
    }

    /** What is stored of an execution, and what the key of this boot makes of it. */
    static ObjectNode stored(ApplicationContext context, Execution execution) {
        ObjectNode out = Harness.JSON.createObjectNode();
        out.put("id", execution.getId());
        out.put("flow", execution.getFlowId());
        out.set("inputs", Harness.JSON.valueToTree(execution.getInputs()));
        out.set("outputs", Harness.JSON.valueToTree(execution.getOutputs()));
        String key = context.getProperty("kestra.encryption.secret-key", String.class).orElseThrow();
        ObjectNode read = out.putObject("read");
        read(key, "input", execution.getInputs(), "secret", read);
        read(key, "output", execution.getOutputs(), "secret_output", read);
        return out;
    }

    /** Flow to the number of its executions that hold encrypted values: the query of the page. */
    static ObjectNode holders(ApplicationContext context) throws Exception {
        ObjectNode out = Harness.JSON.createObjectNode();
        String url = context.getProperty("datasources.h2.url", String.class).orElseThrow();
        String query = "select \"flow_id\", count(*) from executions where \"value\" like '%io.kestra.datatype:aes_encrypted%' group by \"flow_id\"";
        try (var connection = java.sql.DriverManager.getConnection(url, "sa", "");
             var rows = connection.createStatement().executeQuery(query)) {
            while (rows.next()) {
                out.put(rows.getString(1), rows.getInt(2));
            }
        }
        return out;
    }

    static void read(String key, String name, Map<String, Object> all, String of, ObjectNode out) {
        JsonNode found = Harness.JSON.valueToTree(all == null ? null : all.get(of));
        if (found == null || !found.has("value")) {
            return;
        }
        try {
            out.put(name, EncryptionService.decrypt(key, found.get("value").asText()));
        } catch (Exception error) {
            out.put(name + " error", error.getClass().getSimpleName() + ": " + error.getMessage());
        }
    }

    /** Runs an execution of before once more, with the inputs that are stored, as the user interface's Replay does. */
    static ObjectNode replay(ApplicationContext context, Execution before) throws Exception {
        ObjectNode out = Harness.JSON.createObjectNode();
        var flow = context.getBean(FlowRepositoryInterface.class).findById(Harness.TENANT, before.getNamespace(), before.getFlowId()).orElseThrow();
        Execution again;
        try {
            again = context.getBean(ExecutionService.class).replay(before, (io.kestra.core.models.flows.Flow) flow, null, null);
        } catch (Exception error) {
            out.put("state", "REFUSED");
            out.put("message", Harness.words(error));
            return out;
        }
        QueueInterface<Execution> queue = context.getBean(Argument.of(QueueInterface.class, Execution.class).getType(), Qualifiers.byName(QueueFactoryInterface.EXECUTION_NAMED));
        queue.emit(again);
        ExecutionRepositoryInterface repository = context.getBean(ExecutionRepositoryInterface.class);
        Execution ended = null;
        long end = System.currentTimeMillis() + 20_000;
        while (System.currentTimeMillis() < end) {
            ended = repository.findById(Harness.TENANT, again.getId()).orElse(null);
            if (ended != null && ended.getState().isTerminated()) {
                break;
            }
            Thread.sleep(20);
        }
        out.put("state", ended == null ? "NONE" : ended.getState().getCurrent().name());
        out.set("read", ended == null ? null : stored(context, ended).get("read"));
        ArrayNode logs = out.putArray("logs");
        Thread.sleep(200);
        for (var log : context.getBean(LogRepositoryInterface.class).findByExecutionId(Harness.TENANT, again.getId(), null)) {
            logs.add(log.getMessage());
        }
        return out;
    }
}
