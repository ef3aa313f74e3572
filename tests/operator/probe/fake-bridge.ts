/** A deployed bridge with probers: two stores in memory, a replication between them, and functions whose calls take time. */

import { parseBridgeConfig } from "../../../components/config";
import type { OperatedBridge, OperatedSide } from "../../../operator/operated-bridge";
import type { Time } from "../../../operator/probe/time";
import { type ProbeRequest, probeRequestSchema } from "../../../runtime/protocol/probe";
import { OTHER_SIDE, type ProbeSide } from "../../../runtime/roles/prober/names";
import { BridgeError } from "../../../runtime/stores/errors";

export interface FakeOptions {
  time: Time;
  twoWay?: boolean;
  /** How long an object takes; undefined for one that never arrives. */
  lagMs?(object: { name: string; sizeBytes: number; from: ProbeSide }): number | undefined;
  /** Duration of a call to a side's function, without its work. */
  roundTripMs?: Record<ProbeSide, number>;
  /** How far a side's clock is ahead of `time`. */
  clockAheadMs?: Record<ProbeSide, number>;
  /** A watch answers after this time, with the objects that are pending. */
  functionMs?: number;
  /** Called when a request reaches a function; may throw. */
  onRequest?(side: ProbeSide, request: ProbeRequest): void;
  /** Replaces the function's answer. */
  onAnswer?(side: ProbeSide, request: ProbeRequest, answer: unknown): unknown;
  config?: Record<string, unknown>;
}

export interface FakeBridge {
  bridge: OperatedBridge;
  /** `side action names`, in the order of the calls. */
  calls: string[];
  /** Names that are visible on a side. */
  visible(side: ProbeSide): string[];
}

interface Stored {
  sizeBytes: number;
  fromMs: number;
  isReplica: boolean;
}

export function fakeBridge(options: FakeOptions): FakeBridge {
  const { time, lagMs = () => 1000, functionMs = 60_000, onRequest = () => undefined } = options;
  const { onAnswer = (_side, _request, answer) => answer } = options;
  const roundTripMs = options.roundTripMs ?? { source: 100, destination: 100 };
  const clockAheadMs = options.clockAheadMs ?? { source: 0, destination: 0 };
  const stores: Record<ProbeSide, Map<string, Stored>> = { source: new Map(), destination: new Map() };
  const calls: string[] = [];

  const find = (side: ProbeSide, name: string): Stored | undefined => {
    const stored = stores[side].get(name);
    return stored !== undefined && stored.fromMs <= time.now() ? stored : undefined;
  };

  async function answer(side: ProbeSide, request: ProbeRequest, signal: AbortSignal): Promise<unknown> {
    const clock = () => time.now() + clockAheadMs[side];
    const other = OTHER_SIDE[side];
    switch (request.action) {
      case "put":
        return {
          put: request.objects.map(({ name, sizeBytes }) => {
            stores[side].set(name, { sizeBytes, fromMs: time.now(), isReplica: false });
            const lag = lagMs({ name, sizeBytes, from: side });
            if (lag !== undefined) stores[other].set(name, { sizeBytes, fromMs: time.now() + lag, isReplica: true });
            return { name, sizeBytes, postedAtMs: clock() };
          }),
        };
      case "watch": {
        const [name = ""] = request.names;
        const endMs = time.now() + functionMs;
        for (let attempts = 1; ; attempts++) {
          const stored = find(side, name);
          if (stored !== undefined)
            return { seen: [{ name, sizeBytes: stored.sizeBytes, seenAtMs: clock(), attempts }], missing: [], pending: [] };
          if (attempts === request.attempts) return { seen: [], missing: [{ name, attempts }], pending: [] };
          if (time.now() + request.intervalMs >= endMs) return { seen: [], missing: [], pending: [{ name, attempts }] };
          await time.sleep(request.intervalMs, signal);
        }
      }
      case "clean":
        return { cleaned: request.names.filter((name) => remove(side, name)).length };
    }
  }

  function remove(side: ProbeSide, name: string): boolean {
    const stored = find(side, name);
    if (stored === undefined) return false;
    stores[side].delete(name);
    // An object that is gone at its origin is not replicated any more.
    const replica = stores[OTHER_SIDE[side]].get(name);
    if (!stored.isReplica && replica !== undefined && replica.fromMs > time.now()) stores[OTHER_SIDE[side]].delete(name);
    return true;
  }

  const operated = (
    side: ProbeSide,
    cloud: "aws" | "aws-cn",
    region: string,
    bucket: string,
    keyPrefix: string,
  ): OperatedSide => ({
    side,
    cloud,
    region,
    bucket,
    keyPrefix,
    store: undefined as never,
    functions: {
      async invoke(functionName, payload, { signal = new AbortController().signal } = {}) {
        if (functionName !== `prober-${side}`) throw new BridgeError("NotFound", "invoke", `no function ${functionName}`);
        const request = probeRequestSchema.parse(payload);
        await time.sleep(roundTripMs[side] / 2, signal);
        const names = request.action === "put" ? request.objects.map(({ name }) => name) : request.names;
        calls.push(`${side} ${request.action} ${names.join(",")}`);
        onRequest(side, request);
        const answered = JSON.parse(JSON.stringify(onAnswer(side, request, await answer(side, request, signal))));
        await time.sleep(roundTripMs[side] / 2, signal);
        return answered;
      },
      invokeAsync: () => Promise.reject(new Error("not asked for by a probe")),
    },
  });

  const raw = {
    source: { cloud: "aws", region: "us-east-1", bucket: "assets-us" },
    destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "assets-cn", prefix: "from-us/" },
    allowedCidrs: ["203.0.113.0/24"],
    probe: { enabled: true },
    ...options.config,
  };
  const config = parseBridgeConfig(raw, { stack: "aws-to-china", tokenIsDeferred: true });
  return {
    calls,
    visible: (side) => [...stores[side].keys()].filter((name) => find(side, name) !== undefined),
    bridge: {
      stack: "aws-to-china",
      config: options.twoWay ? { ...config, direction: "two-way" } : config,
      outputs: {
        sourceBucket: "assets-us",
        destinationBucket: "assets-cn",
        proberFunctionNames: { source: "prober-source", destination: "prober-destination" },
      },
      source: operated("source", "aws", "us-east-1", "assets-us", ""),
      destination: operated("destination", "aws-cn", "cn-north-1", "assets-cn", "from-us/"),
      deadLetters: notAsked,
      redrive: notAsked,
      keyLog: notAsked,
      ways: undefined,
      held: notAsked,
      queued: notAsked,
      log: notAsked,
      activity: notAsked,
      executions: notAsked,
      enqueue: notAsked,
      close: () => Promise.resolve(),
    },
  };
}

const notAsked = () => Promise.reject(new Error("not asked for by a probe"));
