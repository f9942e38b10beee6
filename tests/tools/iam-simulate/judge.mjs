// Reads a list of simulations from standard input; writes the result of each, or what is wrong with it.
import { readFileSync } from "node:fs";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const results = [];
for (const simulation of JSON.parse(readFileSync(0, "utf8"))) {
  const answer = await runSimulation(simulation, { simulationMode: "Strict" });
  const ignored = answer.result?.ignoredContextKeys ?? [];
  if (answer.resultType === "error") results.push(`error: ${JSON.stringify(answer.errors)}`);
  else if (answer.resultType !== "single") results.push(`error: ${answer.resultType}`);
  else if (ignored.length) results.push(`error: ignored ${ignored}`);
  else results.push(answer.overallResult);
}
process.stdout.write(JSON.stringify(results));
