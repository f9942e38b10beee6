import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.objectweb.asm.tree.AbstractInsnNode;
import org.objectweb.asm.tree.AnnotationNode;
import org.objectweb.asm.tree.ClassNode;
import org.objectweb.asm.tree.FieldNode;
import org.objectweb.asm.tree.LdcInsnNode;
import org.objectweb.asm.tree.MethodInsnNode;
import org.objectweb.asm.tree.MethodNode;
import org.objectweb.asm.tree.ParameterNode;

/**
 * Says what the classes of jars tell about configuration keys: one line of JSON for each class.
 *
 * A line has the class's name, its kind, its annotations and fields, its methods with one parameter (setters), and
 * the texts that it hands to Micronaut's property look-up.
 */
public class ReadClasses {
    static final ObjectMapper JSON = new ObjectMapper();
    /** Types that look properties up by name. */
    static final Pattern RESOLVER = Pattern.compile(
        "io/micronaut/(context|context/env|core/value)/(Environment|PropertyResolver|ApplicationContext|PropertyPlaceholderResolver)"
            + "|io/opentelemetry/sdk/autoconfigure/spi/ConfigProperties");

    public static void main(String[] jars) throws IOException {
        for (String path : jars) {
            try (JarFile jar = new JarFile(path)) {
                for (var entry : jar.stream().filter(e -> e.getName().endsWith(".class") && !e.getName().contains("/$") && !e.getName().startsWith("META-INF")).toList()) {
                    ClassNode node = new ClassNode();
                    try (var in = jar.getInputStream(entry)) {
                        new ClassReader(in).accept(node, ClassReader.SKIP_FRAMES | ClassReader.SKIP_DEBUG);
                    }
                    System.out.println(JSON.writeValueAsString(described(path, node)));
                }
            }
        }
    }

    static ObjectNode described(String jar, ClassNode node) {
        ObjectNode out = JSON.createObjectNode();
        out.put("jar", jar.substring(jar.lastIndexOf('/') + 1)).put("name", dotted(node.name)).put("parent", dotted(node.superName));
        out.put("enum", (node.access & Opcodes.ACC_ENUM) != 0).put("record", "java/lang/Record".equals(node.superName));
        annotations(node.visibleAnnotations, out.putArray("annotations"));
        ArrayNode fields = out.putArray("fields");
        for (FieldNode field : node.fields) {
            if ((field.access & Opcodes.ACC_STATIC) == 0) {
                ObjectNode line = fields.addObject().put("name", field.name).put("type", type(field.desc, field.signature));
                annotations(field.visibleAnnotations, line.putArray("annotations"));
            }
        }
        ArrayNode methods = out.putArray("methods");
        ArrayNode reads = out.putArray("reads");
        for (MethodNode method : node.methods) {
            parameters(method, methods);
            lookups(method, reads);
        }
        return out;
    }

    /** A method's name, annotations and parameters; only such as are annotated, or may be a setter's. */
    static void parameters(MethodNode method, ArrayNode out) {
        Type[] types = Type.getArgumentTypes(method.desc);
        boolean annotated = method.visibleAnnotations != null || method.visibleParameterAnnotations != null;
        if (!annotated && types.length != 1) {
            return;
        }
        ObjectNode line = out.addObject().put("name", method.name).put("signature", method.signature == null ? method.desc : method.signature);
        annotations(method.visibleAnnotations, line.putArray("annotations"));
        ArrayNode parameters = line.putArray("parameters");
        for (int i = 0; i < types.length; i++) {
            List<ParameterNode> names = method.parameters;
            ObjectNode parameter = parameters.addObject().put("type", types[i].getDescriptor());
            parameter.put("name", names != null && i < names.size() ? names.get(i).name : "");
            var all = method.visibleParameterAnnotations;
            annotations(all == null || i >= all.length ? null : all[i], parameter.putArray("annotations"));
        }
    }

    /** Texts that are handed to a look-up of a property, with the type that is asked for. */
    static void lookups(MethodNode method, ArrayNode out) {
        for (AbstractInsnNode step : method.instructions) {
            if (!(step instanceof MethodInsnNode call) || !RESOLVER.matcher(call.owner).matches()) {
                continue;
            }
            String asked = "";
            AbstractInsnNode before = call.getPrevious();
            for (int back = 0; before != null && back < 12; back++, before = before.getPrevious()) {
                if (before instanceof LdcInsnNode constant && constant.cst instanceof Type type && asked.isEmpty()) {
                    asked = type.getDescriptor();
                } else if (before instanceof LdcInsnNode constant && constant.cst instanceof String text) {
                    out.addObject().put("text", text).put("method", call.name).put("type", asked);
                } else if (before instanceof MethodInsnNode other && RESOLVER.matcher(other.owner).matches()) {
                    break;
                }
            }
        }
    }

    static void annotations(List<AnnotationNode> nodes, ArrayNode out) {
        if (nodes == null) {
            return;
        }
        for (AnnotationNode node : nodes) {
            ObjectNode line = out.addObject();
            line.put("name", Type.getType(node.desc).getClassName());
            ObjectNode values = line.putObject("values");
            for (int i = 0; node.values != null && i < node.values.size(); i += 2) {
                value(node.values.get(i + 1), values.putArray(String.valueOf(node.values.get(i))), out);
            }
        }
    }

    /** An annotation's values as texts; annotations within (`@Requirements`) go to `nested`. */
    static void value(Object value, ArrayNode out, ArrayNode nested) {
        if (value instanceof List<?> list) {
            list.forEach(part -> value(part, out, nested));
        } else if (value instanceof AnnotationNode inner) {
            annotations(List.of(inner), nested);
        } else if (value instanceof String[] constant) {
            out.add(constant[1]);
        } else {
            out.add(value instanceof Type type ? type.getClassName() : String.valueOf(value));
        }
    }

    static String type(String descriptor, String signature) {
        return signature == null ? descriptor : signature;
    }

    static String dotted(String name) {
        return name == null ? "" : name.replace('/', '.');
    }
}
