/** Clients of the prober functions of the two sides. The messages are in `runtime/protocol/probe.ts`. */

import {
  type ProbeCleanAnswer,
  type ProbePutAnswer,
  type ProbeRequest,
  type ProbeWatch,
  type ProbeWatchAnswer,
  probeCleanAnswerSchema,
  probePutAnswerSchema,
  probeWatchAnswerSchema,
} from "../../runtime/protocol/probe";
import type * as z from "../../runtime/protocol/schema";
import type { ProbeSide } from "../../runtime/roles/prober/names";
import { BridgeError } from "../../runtime/stores/errors";
import { UsageError } from "../command";
import type { OperatedBridge } from "../operated-bridge";

export interface ProberClient {
  /** Takes no signal: an object whose put was aborted could still appear after the clean-up. */
  put(object: { name: string; sizeBytes: number }): Promise<ProbePutAnswer["put"][number]>;
  watch(asked: Omit<ProbeWatch, "action">, signal?: AbortSignal): Promise<ProbeWatchAnswer>;
  clean(names: readonly string[]): Promise<ProbeCleanAnswer>;
}

export type Probers = Record<ProbeSide, ProberClient>;

/** @throws UsageError if the stack was deployed without probers */
export function openProbers(bridge: Pick<OperatedBridge, "stack" | "outputs" | "source" | "destination">): Probers {
  const names = bridge.outputs.proberFunctionNames;
  if (names === undefined) {
    const how = `set crossborderbridge:probe: {enabled: true} in Pulumi.${bridge.stack}.yaml and deploy`;
    throw new UsageError(`stack ${bridge.stack} has no probers, the functions that put objects and watch for them: ${how}`);
  }
  return { source: openProber(bridge.source, names.source), destination: openProber(bridge.destination, names.destination) };
}

function openProber({ functions, side }: OperatedBridge["source"], functionName: string): ProberClient {
  async function ask<T>(request: ProbeRequest, schema: z.ZodMiniType<T>, signal?: AbortSignal): Promise<T> {
    const answer = schema.safeParse(await functions.invoke(functionName, request, { signal }));
    if (answer.success) return answer.data;
    throw unexpected(request.action, `answered what this command does not understand; deploy the stack with this version`);
  }

  function unexpected(action: string, what: string): BridgeError {
    return new BridgeError("Unexpected", action, `the prober ${functionName} of the ${side} ${what}`);
  }

  return {
    async put({ name, sizeBytes }) {
      const answer = await ask({ action: "put", objects: [{ name, sizeBytes }] }, probePutAnswerSchema);
      const [put] = answer.put;
      if (put?.name !== name || answer.put.length !== 1)
        throw unexpected("put", "answered about other objects than were asked for");
      return put;
    },
    async watch(asked, signal) {
      const answer = await ask({ action: "watch", ...asked }, probeWatchAnswerSchema, signal);
      const answered = [...answer.seen, ...answer.missing, ...answer.pending].map(({ name }) => name).sort();
      if (answered.join("\n") !== [...asked.names].sort().join("\n"))
        throw unexpected("watch", "answered about other objects than were asked for");
      return answer;
    },
    clean: (names) => ask({ action: "clean", names: [...names] }, probeCleanAnswerSchema),
  };
}
