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
    static List<Service> start(ApplicationContext context, ExecutorService pool) {
        Worker worker = context.createBean(io.kestra.worker.DefaultWorker.class, UUID.randomUUID().toString(), 4, null);
        context.registerSingleton(worker);
        List<Service> services = List.of(
            context.getBean(ExecutorInterface.class), worker, context.getBean(Scheduler.class), context.getBean(Indexer.class));
        services.forEach(service -> pool.execute((Runnable) service));
        return services;
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
