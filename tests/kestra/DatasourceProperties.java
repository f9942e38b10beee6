import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micronaut.configuration.jdbc.hikari.DatasourceConfiguration;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.env.Environment;
import io.micronaut.inject.qualifiers.Qualifiers;

/** The properties that Kestra's connection pool hands to the driver of each datasource. */
public class DatasourceProperties {
    public static void main(String[] arguments) throws Exception {
        JsonNode job = Harness.JSON.readTree(System.in);
        ObjectNode result = Harness.JSON.createObjectNode();
        ArrayNode runs = result.putArray("runs");
        try (ApplicationContext context = ApplicationContext.builder().deduceEnvironment(false).environments(Environment.CLI).build()) {
            context.start();
            for (JsonNode name : job.get("runs")) {
                DatasourceConfiguration pool = context.getBean(DatasourceConfiguration.class, Qualifiers.byName(name.asText()));
                runs.add(Harness.JSON.valueToTree(pool.getDataSourceProperties()));
            }
        }
        System.out.println(Harness.JSON.writeValueAsString(result));
        System.out.flush();
        System.exit(0);
    }
}
