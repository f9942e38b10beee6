package io.kestra.core.services;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.kestra.core.models.flows.PluginDefault;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.env.Environment;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What Kestra makes of tasks by the plugin defaults of its configuration file. No plugin has to be installed for it. */
public class PluginDefaults {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        JsonNode job = JSON.readTree(System.in);
        ObjectNode result = JSON.createObjectNode();
        ArrayNode tasks = result.putArray("runs");
        try (ApplicationContext context = ApplicationContext.builder().deduceEnvironment(false).environments(Environment.CLI).build()) {
            context.start();
            List<PluginDefault> defaults = context.getBean(PluginGlobalDefaultConfiguration.class).getDefaults();
            Map<String, List<PluginDefault>> byType = (defaults == null ? Collections.<PluginDefault>emptyList() : defaults)
                .stream().collect(Collectors.groupingBy(PluginDefault::getType));
            PluginDefaultService service = new PluginDefaultService();
            for (JsonNode task : job.get("runs")) {
                Object written = JSON.convertValue(task, Map.class);
                tasks.add(JSON.valueToTree(service.recursiveDefaults(written, byType)));
            }
        }
        System.out.println(JSON.writeValueAsString(result));
        System.out.flush();
        System.exit(0);
    }
}
