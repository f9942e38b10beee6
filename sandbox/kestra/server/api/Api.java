package api;

import io.kestra.core.models.executions.Execution;
import io.kestra.core.repositories.ExecutionRepositoryInterface;
import io.kestra.core.repositories.FlowRepositoryInterface;
import io.kestra.core.runners.FlowInputOutput;
import io.kestra.core.serializers.JacksonMapper;
import io.kestra.core.services.FlowService;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.annotation.Requires;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.MediaType;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.multipart.CompletedPart;
import io.micronaut.http.server.multipart.MultipartBody;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import reactor.core.publisher.Flux;

/** The four requests of Kestra's API that `verify` sends, answered by Kestra's own services. */
@Controller("/api/v1/{tenant}")
@Requires(property = "kestra.server-type", pattern = "(STANDALONE|WEBSERVER)")
@ExecuteOn(TaskExecutors.BLOCKING)
class Api {
    @Inject ApplicationContext context;
    @Inject Engine engine;

    /** Creates a flow, or its next revision where the flow is there already. */
    @Post(uri = "/flows/import", consumes = MediaType.MULTIPART_FORM_DATA)
    HttpResponse<String> importFlow(String tenant, @Body MultipartBody parts) throws Exception {
        for (CompletedPart part : Flux.from(parts).toIterable()) {
            context.getBean(FlowService.class).importFlow(tenant, new String(part.getBytes()));
        }
        return json(List.of());
    }

    @Post(uri = "/executions/{namespace}/{id}", consumes = MediaType.MULTIPART_FORM_DATA)
    HttpResponse<String> execute(String tenant, String namespace, String id, @Body MultipartBody inputs) throws Exception {
        var flow = context.getBean(FlowRepositoryInterface.class).findById(tenant, namespace, id).orElse(null);
        if (flow == null) {
            return HttpResponse.notFound();
        }
        Execution execution;
        try {
            FlowInputOutput io = context.getBean(FlowInputOutput.class);
            execution = Execution.newExecution(flow, (f, e) -> io.readExecutionInputs(f, e, inputs).block(), null, Optional.empty());
        } catch (Exception refused) {
            return HttpResponse.unprocessableEntity().body(JacksonMapper.ofJson().writeValueAsString(Map.of("message", String.valueOf(refused.getMessage()))));
        }
        engine.run(execution);
        return json(execution);
    }

    @Get("/executions/{id}")
    HttpResponse<String> execution(String tenant, String id) throws Exception {
        Execution execution = context.getBean(ExecutionRepositoryInterface.class).findById(tenant, id).orElse(null);
        if (execution == null) {
            return HttpResponse.notFound();
        }
        Map<String, Object> fields = JacksonMapper.toMap(execution);
        if (execution.getState().isTerminated()) {
            fields.put("outputs", engine.outputs(execution));
        }
        return json(fields);
    }

    @Get("/logs/{id}")
    HttpResponse<String> logs(String tenant, String id) throws Exception {
        Execution execution = context.getBean(ExecutionRepositoryInterface.class).findById(tenant, id).orElseThrow();
        return json(engine.logs(execution).stream().map(message -> Map.of("message", message)).toList());
    }

    private static HttpResponse<String> json(Object value) throws Exception {
        return HttpResponse.ok(JacksonMapper.ofJson().writeValueAsString(value)).contentType(MediaType.APPLICATION_JSON_TYPE);
    }
}
