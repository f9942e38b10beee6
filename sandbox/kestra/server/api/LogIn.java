package api;

import io.micronaut.context.env.Environment;
import io.micronaut.core.annotation.Nullable;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.annotation.RequestFilter;
import io.micronaut.http.annotation.ServerFilter;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** The log-in of Kestra's web server, whose own code is not published: the configured users by HTTP basic authentication. */
@ServerFilter("/api/**")
class LogIn {
    private final List<String> accepted;

    LogIn(Environment environment) {
        accepted = List.of("kestra.server.basic-auth", "kestra.security.super-admin", "kestra.security.instance-owner").stream()
            .map(user -> header(environment, user)).flatMap(Optional::stream).toList();
    }

    private static Optional<String> header(Environment environment, String user) {
        return environment.getProperty(user + ".username", String.class).map(name -> {
            String password = environment.getProperty(user + ".password", String.class).orElse("");
            return "Basic " + Base64.getEncoder().encodeToString((name + ":" + password).getBytes(StandardCharsets.UTF_8));
        });
    }

    @Nullable
    @RequestFilter
    HttpResponse<?> filter(HttpRequest<?> request) {
        return request.getHeaders().getAuthorization().filter(accepted::contains).isPresent() ? null : HttpResponse.unauthorized();
    }
}
