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
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;

/** What is particular to Kestra 2.0: workers talk to a controller, and outputs are kept outside of the execution. */
final class Release {
    static List<Service> start(ApplicationContext context, ExecutorService pool) {
        Executor executor = context.getBean(Executor.class);
        Controller controller = context.getBean(Controller.class);
        Worker worker = context.getBean(Worker.class);
        Scheduler scheduler = context.getBean(Scheduler.class);
        Indexer indexer = context.getBean(Indexer.class);
        List<Runnable> starts = List.of(executor, controller::start, () -> worker.start(4), scheduler, indexer);
        starts.forEach(pool::execute);
        return List.of(executor, controller, worker, scheduler, indexer);
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
