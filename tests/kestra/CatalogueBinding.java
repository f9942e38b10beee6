import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.ApplicationContextConfiguration;
import io.micronaut.context.DefaultApplicationContext;
import io.micronaut.context.env.Environment;
import io.micronaut.core.naming.conventions.StringConvention;
import io.micronaut.core.type.Argument;
import io.micronaut.inject.BeanDefinition;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TimeZone;

/**
 * What a Micronaut context of Kestra's class path binds of a configuration: each key as the environment has it, and
 * as the beans have it that are made of configuration.
 *
 * No bean starts on its own, so keys that no one Kestra could have together are bound in one process.
 */
public class CatalogueBinding {
    /** A context in which only what is asked for comes to be. */
    static class Quiet extends DefaultApplicationContext {
        Quiet() {
            super(new ApplicationContextConfiguration() {
                @Override
                public List<String> getEnvironments() {
                    return List.of(Environment.CLI);
                }

                @Override
                public Optional<Boolean> getDeduceEnvironments() {
                    return Optional.of(false);
                }
            });
        }

        @Override
        @SuppressWarnings({"rawtypes", "unchecked"})
        protected void initializeContext(List context, List processed, List parallel) {
            super.initializeContext(List.of(), List.of(), List.of());
        }
    }

    public static void main(String[] arguments) throws Exception {
        JsonNode job = Harness.JSON.readTree(System.in);
        ObjectNode result = Harness.JSON.createObjectNode();
        ArrayNode runs = result.putArray("runs");
        for (JsonNode run : job.get("runs")) {
            if (run.has("types")) {
                runs.add(choices(run));
                continue;
            }
            System.setProperty("micronaut.config.files", run.get("files").asText());
            try (ApplicationContext context = new Quiet().start()) {
                runs.add(answer(context, run));
            }
        }
        System.out.println(Harness.JSON.writeValueAsString(result));
        System.out.flush();
        System.exit(0);
    }

    /** Type to the constants of it, for types that have some. */
    static ObjectNode choices(JsonNode run) {
        ObjectNode out = Harness.JSON.createObjectNode();
        for (JsonNode name : run.get("types")) {
            try {
                Object[] constants = Class.forName(name.asText()).getEnumConstants();
                for (Object constant : constants == null ? new Object[0] : constants) {
                    out.withArray(name.asText()).add(((Enum<?>) constant).name());
                }
            } catch (ClassNotFoundException | LinkageError error) {
                // A type of a library that is not there has no constants.
            }
        }
        return out;
    }

    static ObjectNode answer(ApplicationContext context, JsonNode run) {
        ObjectNode out = Harness.JSON.createObjectNode();
        ObjectNode environment = out.putObject("environment");
        run.get("keys").properties().forEach(entry -> {
            String path = entry.getKey();
            try {
                read(context, path, entry.getValue().asText()).ifPresent(value -> environment.set(path, json(value)));
            } catch (RuntimeException error) {
                environment.put(path, "not read: " + error.getClass().getSimpleName());
            }
        });
        ObjectNode beans = out.putObject("beans");
        ObjectNode failed = out.putObject("failed");
        Map<String, Map<String, Object>> byOwner = new HashMap<>();
        for (JsonNode row : run.get("members")) {
            String owner = row.get("owner").asText();
            Map<String, Object> instances = byOwner.computeIfAbsent(owner, name -> instances(context, name, failed));
            instances.forEach((name, bean) -> value(bean, row.get("member").asText()).ifPresent(value ->
                beans.withObject("/" + row.get("path").asText().replace("~", "~0").replace("/", "~1")).set(name, json(value))));
        }
        return out;
    }

    /** The beans of a class of configuration by name; one without a name where there is one only. */
    static Map<String, Object> instances(ApplicationContext context, String owner, ObjectNode failed) {
        Map<String, Object> result = new HashMap<>();
        try {
            Class<?> type = Class.forName(owner);
            for (BeanDefinition<?> definition : context.getBeanDefinitions(type)) {
                if (definition.isIterable()) {
                    result.putAll(context.mapOfType(type));
                } else {
                    result.put("", context.getBean(definition));
                }
            }
        } catch (ClassNotFoundException | LinkageError | RuntimeException error) {
            failed.put(owner, Harness.words(error));
        }
        return result;
    }

    static Optional<?> read(ApplicationContext context, String path, String type) {
        return switch (type) {
            case "list" -> context.getProperty(path, Argument.listOf(String.class));
            case "map" -> path.contains("[") ? context.getProperty(path, Map.class) : Optional.of(context.getProperties(path, StringConvention.RAW));
            case "duration" -> context.getProperty(path, Duration.class);
            case "number" -> context.getProperty(path, BigDecimal.class);
            case "boolean" -> context.getProperty(path, Boolean.class);
            default -> context.getProperty(path, String.class);
        };
    }

    static Optional<Object> value(Object bean, String name) {
        String upper = Character.toUpperCase(name.charAt(0)) + name.substring(1);
        for (String getter : List.of("get" + upper, "is" + upper, name)) {
            for (Class<?> type = bean.getClass(); type != null; type = type.getSuperclass()) {
                try {
                    Method method = type.getDeclaredMethod(getter);
                    method.setAccessible(true);
                    return Optional.ofNullable(method.invoke(bean));
                } catch (ReflectiveOperationException | RuntimeException error) {
                    // The next way.
                }
            }
        }
        for (Class<?> type = bean.getClass(); type != null; type = type.getSuperclass()) {
            try {
                Field field = type.getDeclaredField(name);
                field.setAccessible(true);
                return Optional.ofNullable(field.get(bean));
            } catch (ReflectiveOperationException | RuntimeException error) {
                // The next way.
            }
        }
        return Optional.empty();
    }

    static JsonNode json(Object value) {
        Object plain = value instanceof Optional<?> optional ? optional.orElse(null) : value;
        return switch (plain) {
            case null -> Harness.JSON.nullNode();
            case Boolean flag -> Harness.JSON.getNodeFactory().booleanNode(flag);
            case Number number -> Harness.JSON.getNodeFactory().textNode(new BigDecimal(number.toString()).stripTrailingZeros().toPlainString());
            case Enum<?> constant -> Harness.JSON.getNodeFactory().textNode(constant.name());
            case TimeZone zone -> Harness.JSON.getNodeFactory().textNode(zone.getID());
            case OptionalInt number -> json(number.isPresent() ? number.getAsInt() : null);
            case InetSocketAddress address -> Harness.JSON.getNodeFactory().textNode(address.getHostString() + ":" + address.getPort());
            case double[] list -> json(Arrays.stream(list).boxed().toList());
            case Class<?> type -> Harness.JSON.getNodeFactory().textNode(type.getName());
            case Map<?, ?> map -> {
                ObjectNode out = Harness.JSON.createObjectNode();
                map.forEach((name, inner) -> out.set(String.valueOf(name), json(inner)));
                yield out;
            }
            case Collection<?> list -> {
                ArrayNode out = Harness.JSON.createArrayNode();
                list.forEach(inner -> out.add(json(inner)));
                yield out;
            }
            case Object[] list -> json(List.of(list));
            default -> Harness.JSON.getNodeFactory().textNode(String.valueOf(plain));
        };
    }
}
