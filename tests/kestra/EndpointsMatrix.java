import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.env.Environment;
import io.micronaut.runtime.server.EmbeddedServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.cert.X509Certificate;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** Starts Kestra's management server with each configuration of a job and asks it; answers in one line of JSON. */
public class EndpointsMatrix {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) {
        try {
            run();
            System.exit(0);
        } catch (Throwable failure) {
            // Threads of a server that did not start keep the process else.
            failure.printStackTrace();
            System.exit(1);
        }
    }

    static void run() throws Exception {
        JsonNode job = JSON.readTree(System.in);
        ObjectNode result = JSON.createObjectNode();
        ArrayNode runs = result.putArray("runs");
        for (JsonNode run : job.get("runs")) {
            runs.add(ask(run));
        }
        System.out.println(JSON.writeValueAsString(result));
        System.out.flush();
    }

    static ArrayNode ask(JsonNode run) throws Exception {
        ArrayNode answers = JSON.createArrayNode();
        System.setProperty("micronaut.config.files", run.get("files").asText());
        try (ApplicationContext context = ApplicationContext.builder().deduceEnvironment(false).environments(Environment.CLI).start();
             HttpClient client = HttpClient.newBuilder().sslContext(trusting()).connectTimeout(Duration.ofSeconds(5)).build()) {
            EmbeddedServer server = context.getBean(EmbeddedServer.class).start();
            for (JsonNode wanted : run.get("requests")) {
                answers.add(answer(client, run.get("port").asInt(), wanted));
            }
            server.stop();
        }
        return answers;
    }

    static ObjectNode answer(HttpClient client, int port, JsonNode wanted) throws Exception {
        // A server of the other protocol may keep an answer for ever.
        var patience = Duration.ofSeconds(wanted.has("origin") ? 5 : 60);
        String origin = wanted.path("origin").asText("http://127.0.0.1:" + port);
        var request = HttpRequest.newBuilder(URI.create(origin + wanted.get("path").asText())).timeout(patience);
        if (wanted.hasNonNull("authorization")) {
            request.header("Authorization", wanted.get("authorization").asText());
        }
        if (wanted.get("method").asText().equals("POST")) {
            request.header("Content-Type", "application/json").POST(BodyPublishers.ofString(wanted.path("body").asText()));
        }
        try {
            var response = client.send(request.build(), BodyHandlers.ofString());
            return JSON.createObjectNode().put("status", response.statusCode()).put("body", response.body());
        } catch (IOException refused) {
            return JSON.createObjectNode().put("status", 0).put("body", String.valueOf(refused));
        }
    }

    /** Takes every certificate, as the probes of Kubernetes do. */
    static SSLContext trusting() throws Exception {
        var any = new X509TrustManager() {
            public void checkClientTrusted(X509Certificate[] chain, String type) { }
            public void checkServerTrusted(X509Certificate[] chain, String type) { }
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        };
        System.setProperty("jdk.internal.httpclient.disableHostnameVerification", "true");
        var context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {any}, null);
        return context;
    }
}
