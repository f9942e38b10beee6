package api;

import io.kestra.core.models.executions.Execution;
import java.util.List;
import java.util.Map;

/** What differs between Kestra's releases, for beans, which cannot be in the package of Release. */
public interface Engine {
    void run(Execution execution) throws Exception;

    Map<String, Object> outputs(Execution ended) throws Exception;

    List<String> logs(Execution ended);
}
