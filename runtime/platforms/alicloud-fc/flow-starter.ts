/** Starts and describes executions of a CloudFlow workflow. */
import { isDeepStrictEqual } from "node:util";
import type { FlowStarter } from "../../protocol/ports";
import * as z from "../../protocol/schema";
import { BridgeError } from "../../stores/errors";
import type { ControlApi } from "./control-api";
import { ControlError } from "./errors";

const VERSION = "2019-03-15";

const executionSchema = z.object({ Status: z.string(), Input: z.optional(z.string()) });

export function createFlowStarter(api: ControlApi, flowName: string): FlowStarter {
  return {
    /** https://www.alibabacloud.com/help/en/serverless-workflow/latest/api-fnf-2019-03-15-startexecution */
    async start(execution, input) {
      const text = JSON.stringify(input);
      try {
        const { body } = await api.call({
          op: "startExecution",
          what: `the workflow ${flowName} could not be started`,
          action: "StartExecution",
          version: VERSION,
          form: { FlowName: flowName, ExecutionName: execution, Input: text },
        });
        // While an execution of this name runs, the answer describes that execution.
        return sameJson(executionIn("startExecution", body).Input, text) ? "started" : "running";
      } catch (error) {
        if (codeOf(error) === "ExecutionAlreadyExists") return "finished";
        throw error;
      }
    },

    /** https://www.alibabacloud.com/help/en/serverless-workflow/latest/api-fnf-2019-03-15-describeexecution */
    async describe(execution) {
      try {
        const { body } = await api.call({
          op: "describeExecution",
          what: `the execution ${execution} of the workflow ${flowName} cannot be read`,
          action: "DescribeExecution",
          method: "GET",
          version: VERSION,
          query: { FlowName: flowName, ExecutionName: execution },
        });
        const { Status, Input = "" } = executionIn("describeExecution", body);
        return { status: Status, input: Input };
      } catch (error) {
        // A missing flow has another code and stays an error.
        if (codeOf(error)?.startsWith("ExecutionNotExist")) return undefined;
        throw error;
      }
    },
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof ControlError ? error.code : undefined;
}

function executionIn(op: string, body: unknown): z.infer<typeof executionSchema> {
  const parsed = executionSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new BridgeError("Unexpected", op, `the answer to ${op} is no execution: this is no CloudFlow endpoint`);
}

/** Compares parsed JSON, because the service may return the input in another order or layout. */
function sameJson(one: string | undefined, other: string): boolean {
  if (one === undefined) return false;
  try {
    return isDeepStrictEqual(JSON.parse(one), JSON.parse(other));
  } catch {
    return false;
  }
}
