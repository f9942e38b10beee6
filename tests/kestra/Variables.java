import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.env.Environment;
import java.util.Map;

/** What a Micronaut context of Kestra's own class path makes of the variables of its process. */
public class Variables {
    public static void main(String[] arguments) throws Exception {
        JsonNode job = Harness.JSON.readTree(System.in);
        ObjectNode result = Harness.JSON.createObjectNode();
        ArrayNode runs = result.putArray("runs");
        try (ApplicationContext context = ApplicationContext.builder().deduceEnvironment(false).environments(Environment.CLI).build()) {
            context.getEnvironment().start();
            for (JsonNode run : job.get("runs")) {
                runs.add(answer(context.getEnvironment(), run));
            }
        }
        System.out.println(Harness.JSON.writeValueAsString(result));
        System.out.flush();
        System.exit(0);
    }

    static ObjectNode answer(Environment environment, JsonNode run) {
        ObjectNode out = Harness.JSON.createObjectNode();
        ObjectNode values = out.putObject("values");
        run.path("properties").forEach(name ->
            environment.getProperty(name.asText(), Object.class)
                .ifPresent(value -> values.set(name.asText(), Harness.JSON.valueToTree(value))));
        ObjectNode maps = out.putObject("maps");
        run.path("maps").forEach(name ->
            environment.getProperty(name.asText(), Map.class)
                .ifPresent(value -> maps.set(name.asText(), Harness.JSON.valueToTree(value))));
        return out;
    }
}
