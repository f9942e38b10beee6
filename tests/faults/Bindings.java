import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.Field;
import java.util.Map;

/** Binds many configurations in one Java, each with an environment of its own. */
public class Bindings {
    public static void main(String[] arguments) throws Exception {
        JsonNode job = Harness.JSON.readTree(System.in);
        ObjectNode result = Harness.JSON.createObjectNode();
        ArrayNode runs = result.putArray("runs");
        Map<String, String> environment = environment();
        Map<String, String> before = Map.copyOf(environment);
        for (JsonNode run : job.get("runs")) {
            environment.clear();
            environment.putAll(before);
            run.get("environment").properties().forEach(e -> environment.put(e.getKey(), e.getValue().asText()));
            runs.add(Harness.execute(run));
        }
        System.out.println(Harness.JSON.writeValueAsString(result));
        System.out.flush();
        System.exit(0);
    }

    /** What System.getenv() reads, to write: a process has one environment, and here are many configurations. */
    @SuppressWarnings("unchecked")
    static Map<String, String> environment() throws Exception {
        Field inner = System.getenv().getClass().getDeclaredField("m");
        inner.setAccessible(true);
        return (Map<String, String>) inner.get(System.getenv());
    }
}
