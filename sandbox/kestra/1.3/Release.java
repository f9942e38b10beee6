import io.kestra.core.models.executions.Execution;
import io.kestra.core.models.executions.LogEntry;
import io.kestra.core.queues.QueueFactoryInterface;
import io.kestra.core.queues.QueueInterface;
import io.kestra.core.repositories.LogRepositoryInterface;
import io.kestra.core.runners.ExecutorInterface;
import io.kestra.core.runners.Indexer;
import io.kestra.core.runners.Scheduler;
import io.kestra.core.runners.Worker;
import io.kestra.core.server.Service;
import io.micronaut.context.ApplicationContext;
import io.micronaut.inject.qualifiers.Qualifiers;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;

/** What is particular to Kestra 1.3: every server component reads the queue in the database. */
final class Release {
    /** Starts what a component of `kestra server` consists of; `group` is null for workers without one. */
    static List<Service> start(String component, int threads, String group, ApplicationContext context, ExecutorService pool) {
        List<Service> services = switch (component) {
            case "standalone" -> List.of(
                context.getBean(ExecutorInterface.class), worker(context, threads, group), context.getBean(Scheduler.class), context.getBean(Indexer.class));
            case "executor" -> List.of(context.getBean(ExecutorInterface.class));
            case "worker" -> List.of(worker(context, threads, group));
            case "scheduler" -> List.of(context.getBean(Scheduler.class));
            // Kestra's web server starts an indexer of its own.
            case "indexer", "webserver" -> List.of(context.getBean(Indexer.class));
            default -> throw new IllegalArgumentException("Kestra 1.3 has no server component " + component);
        };
        services.forEach(service -> pool.execute((Runnable) service));
        return services;
    }

    private static Worker worker(ApplicationContext context, int threads, String group) {
        Worker worker = context.createBean(io.kestra.worker.DefaultWorker.class, UUID.randomUUID().toString(), threads, group);
        context.registerSingleton(worker);
        return worker;
    }

    @SuppressWarnings("unchecked")
    static void run(ApplicationContext context, Execution execution) throws Exception {
        QueueInterface<Execution> queue = context.getBean(QueueInterface.class, Qualifiers.byName(QueueFactoryInterface.EXECUTION_NAMED));
        queue.emit(execution);
    }

    static Map<String, Object> outputs(ApplicationContext context, Execution ended) {
        return ended.getOutputs();
    }

    static List<String> logs(ApplicationContext context, Execution ended) {
        return context.getBean(LogRepositoryInterface.class)
            .findByExecutionId(ended.getTenantId(), ended.getId(), null).stream().map(LogEntry::getMessage).toList();
    }
}
