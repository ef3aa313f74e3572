/** What push mode needs of a workflow service. */
import type { PushState } from "../../protocol/push";

export interface FlowStarter {
  /**
   * Starts an execution; its name is the idempotency key. Rejects with a `BridgeError`.
   * - `started`: the execution of this name runs with this very input, whether this call started it or one before whose answer got lost.
   * - `running`: it runs with another input.
   * - `finished`: it is over, well or badly.
   */
  start(execution: string, input: PushState): Promise<"started" | "running" | "finished">;
  /** `status` in CloudFlow's words, `input` as JSON; undefined where the service has forgotten the execution. */
  describe(execution: string): Promise<{ status: string; input: string } | undefined>;
}
