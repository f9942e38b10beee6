import io.kestra.core.models.executions.Execution;
import io.kestra.core.models.executions.LogEntry;
import io.kestra.core.queues.DispatchQueueInterface;
import io.kestra.core.repositories.LogDataStoreInterface;
import io.kestra.core.runners.Executor;
import io.kestra.core.runners.Indexer;
import io.kestra.core.runners.Scheduler;
import io.kestra.core.runners.Worker;
import io.kestra.core.server.Service;
import io.kestra.core.services.ExecutionOutputService;
import io.kestra.core.worker.Controller;
import io.micronaut.context.ApplicationContext;
import io.micronaut.core.type.Argument;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;

/** What is particular to Kestra 2.0: workers talk to a controller, and outputs are kept outside of the execution. */
final class Release {
    /** Starts what a component of `kestra server` consists of; groups of workers are not of 2.0's command line. */
    static List<Service> start(String component, int threads, String group, ApplicationContext context, ExecutorService pool) {
        List<Service> services = new ArrayList<>();
        for (String name : component.equals("standalone") ? List.of("executor", "controller", "worker", "scheduler", "indexer") : List.of(component)) {
            switch (name) {
                case "executor" -> start(services, pool, context.getBean(Executor.class));
                case "scheduler" -> start(services, pool, context.getBean(Scheduler.class));
                // Kestra's web server starts an indexer of its own.
                case "indexer", "webserver" -> start(services, pool, context.getBean(Indexer.class));
                case "controller" -> {
                    Controller controller = context.getBean(Controller.class);
                    services.add(controller);
                    pool.execute(controller::start);
                }
                case "worker" -> {
                    Worker worker = context.getBean(Worker.class);
                    services.add(worker);
                    pool.execute(() -> worker.start(threads));
                }
                default -> throw new IllegalArgumentException("Kestra 2.0 has no server component " + name);
            }
        }
        return services;
    }

    private static <T extends Service & Runnable> void start(List<Service> services, ExecutorService pool, T service) {
        services.add(service);
        pool.execute(service);
    }

    static void run(ApplicationContext context, Execution execution) throws Exception {
        context.getBean(Argument.of(DispatchQueueInterface.class, Execution.class)).emit(execution);
    }

    /** Execution.getOutputs() is null for what 2.0 ran: it only holds what an older Kestra stored. */
    static Map<String, Object> outputs(ApplicationContext context, Execution ended) throws Exception {
        return context.getBean(ExecutionOutputService.class).getOutputs(ended);
    }

    static List<String> logs(ApplicationContext context, Execution ended) {
        return context.getBean(LogDataStoreInterface.class)
            .findByExecutionId(ended.getTenantId(), ended.getId(), null).stream().map(LogEntry::getMessage).toList();
    }
}
