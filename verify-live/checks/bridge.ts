/** Facts about the deployment, and about the bridge as a whole. */

import { measure, type Sample } from "../../operator/probe/measure";
import { type Direction, directionsOf, planObjects } from "../../operator/probe/plan";
import { openProbers } from "../../operator/probe/probers";
import { recordsOf } from "../../operator/probe/records";
import { groupsOf } from "../../operator/probe/summary";
import { systemTime } from "../../operator/probe/time";
import { counted, sizeText } from "../../operator/text";
import { generateSecret, parseSecrets, SIGNATURE_HEADERS, signRequest } from "../../runtime/protocol/signing";
import { type BridgeCheck, holds, NotShown } from "../check";
import { answerText, request } from "../raw";
import { until } from "./crossing";

const MINUTE_MS = 60_000;
const common = { on: "bridge", safeOn: "any-stack" } as const;

const onlyOwn = ({ ownStack }: { ownStack: boolean }): string | undefined =>
  ownStack ? undefined : "the stack was there before this run";

export const firstDeployment: BridgeCheck = {
  ...common,
  name: "first-deployment",
  fact: "`pulumi up` from nothing succeeds at the first try.",
  why: "New users, roles, log projects and queues are not known everywhere at once. A service that names one too early refuses.",
  source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency",
  reliesOn: ["components/aws/receiver.ts", "components/alicloud/function.ts", "components/alicloud/oss-events.ts"],
  timeoutMs: MINUTE_MS,
  notFor: onlyOwn,
  async run({ deployed }) {
    if (deployed === undefined) throw new NotShown("the stack was there before this run");
    return [`${counted(deployed.create ?? 0, "resource")} created at the first try`];
  },
};

export const planIsStable: BridgeCheck = {
  ...common,
  name: "plan-is-stable",
  fact: "After a deployment, a preview that looks at the real resources finds nothing to change.",
  why: "A service that returns another form of a policy or of a setting would make every `pulumi up` change something.",
  source: "docs/operations.md",
  reliesOn: ["components/aws/policies.ts", "components/alicloud/policies.ts", "components/alicloud/bucket.ts"],
  timeoutMs: 20 * MINUTE_MS,
  async run({ deployment, signal }) {
    if (deployment === undefined) throw new NotShown("npm start deployed this stack, with an engine of its own");
    const { same = 0, ...changes } = await deployment.preview(signal);
    const changed = Object.entries(changes).filter(([, count]) => count > 0);
    holds(changed.length === 0, `a preview would change: ${changed.map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
    return [`${counted(same, "resource")} stayed the same`];
  },
};

/** More than any run leaves. */
const READ_LIMIT = 1_000;

export const operatorReads: BridgeCheck = {
  ...common,
  name: "operator-reads",
  fact: "The queues, logs and executions of the bridge can be read with the operator's own credentials.",
  why: "`bridge status` and the runbook depend on these calls, and nobody has run them against the vendors.",
  source: "docs/operations.md",
  reliesOn: [
    "operator/clouds/aws.ts",
    "operator/clouds/smq.ts",
    "operator/clouds/alicloud-logs.ts",
    "operator/status/knowledge.ts",
  ],
  timeoutMs: 5 * MINUTE_MS,
  notFor: ({ config }) => (config.mode === "native" ? "mode native has no queues and no functions" : undefined),
  async run({ bridge, startedMs, signal }) {
    const options = { limit: READ_LIMIT, signal };
    const queued = await bridge.queued({ signal });
    const held = await bridge.held(options);
    const { letters } = await bridge.deadLetters(options);
    const log = await bridge.log({ ...options, sinceMs: startedMs });
    const { executions } = await bridge.executions(options);
    return [
      `${queued ?? "no"} messages in the work queue, ${held.looks.length} in the outage queue, ${letters.length} dead letters`,
      `${counted(log.lines.length, "line")} of the functions' logs, ${counted(executions.length, "execution")} running`,
    ];
  },
};

export const executionsEnd: BridgeCheck = {
  ...common,
  name: "executions-end",
  fact: "Every workflow execution ends: a task that fails has the error name of the function's answer, and the flow goes on with it.",
  why: "If CloudFlow names the error in another way, keys that must wait end in a failed execution.",
  source: "docs/adr/0038-push-in-one-step.md",
  reliesOn: ["components/alicloud/flow-definition.ts", "runtime/protocol/push.ts"],
  timeoutMs: 30 * MINUTE_MS,
  notFor: ({ config }) => (config.mode === "push" ? undefined : "only mode push has workflows"),
  async run(context) {
    const { bridge, signal, startedMs } = context;
    const what = "no execution runs any more";
    await until(context, { what, deadlineMs: 25 * MINUTE_MS }, async () => {
      const { executions } = await bridge.executions({ limit: READ_LIMIT, signal });
      return executions.length === 0 ? true : undefined;
    });
    const { letters } = await bridge.deadLetters({ limit: READ_LIMIT, signal });
    const parked = letters.filter(({ parkedAt }) => parkedAt === undefined || parkedAt.getTime() >= startedMs);
    holds(parked.length === 0, `parked since the run began: ${parked.map(({ reason }) => reason).join("; ")}`);
    return ["no execution runs, and none has parked a key"];
  },
};

const REFUSED: ReadonlySet<number> = new Set([401, 403, 405]);

export const receiverRefusesStrangers: BridgeCheck = {
  ...common,
  name: "receiver-refuses-strangers",
  fact: "The receiver's endpoint refuses requests without a signature, with another secret's signature, and with another method.",
  why: "The endpoint is reachable from the internet.",
  source: "docs/security.md",
  reliesOn: ["runtime/roles/receiver/endpoint.ts", "components/aws/receiver.ts", "components/alicloud/receiver.ts"],
  timeoutMs: 5 * MINUTE_MS,
  notFor: ({ config }) => (config.mode === "pull" ? undefined : "only mode pull has a receiver"),
  async run({ bridge, sides, signal }) {
    const { receiverUrl } = bridge.outputs;
    if (receiverUrl === undefined) throw new NotShown("the stack exports no receiverUrl");
    const body = JSON.stringify({ version: 1, bridgeId: bridge.config.name, notices: [] });
    const foreign = signRequest({ id: "verify-live", timestampMs: Date.now(), body, secrets: parseSecrets(generateSecret()) });
    const json = { "content-type": "application/json" };
    const asked = {
      "without a signature": { method: "POST", headers: json, body: Buffer.from(body) },
      "with another secret": { method: "POST", headers: { ...json, ...foreign }, body: Buffer.from(body) },
      "with an empty signature": { method: "POST", headers: { ...json, [SIGNATURE_HEADERS.id]: "x" }, body: Buffer.from(body) },
      "with GET": { method: "GET", headers: {} },
    } as const;
    const seen: string[] = [];
    for (const [how, options] of Object.entries(asked)) {
      const answer = await request(sides.destination.dispatcher, receiverUrl, { ...options, signal });
      holds(REFUSED.has(answer.status), `a request ${how} was answered with ${answerText(answer)}`);
      seen.push(`${how}: ${answerText(answer)}`);
    }
    return [seen.join("; ")];
  },
};

const PROBE_SIZES = [1024, 1024 ** 2];
const PROBE_COUNT = 3;
const PROBE = { attempts: 1200, intervalMs: 500, parallel: 1, pauseMs: 0 };

export const probeLatency: BridgeCheck = {
  ...common,
  name: "probe-latency",
  fact: "The probers measure the time from a put to the arrival, on the clocks of the functions.",
  why: "Latency across the border is not known from here; the local clouds have none.",
  source: "docs/operations.md",
  reliesOn: ["runtime/roles/prober/prober.ts", "operator/probe/measure.ts"],
  timeoutMs: 60 * MINUTE_MS,
  load: () => ({ objects: PROBE_SIZES.length * PROBE_COUNT, sizeBytes: 1024 ** 2 }),
  notFor: ({ config }) => (config.probe.enabled ? undefined : "the stack has no probers: set probe.enabled"),
  async run({ bridge, keys, signal, note }) {
    const { directions } = directionsOf("both", bridge);
    const sizes = PROBE_SIZES.filter((size) => size >= keys.minSizeBytes && size <= keys.maxSizeBytes);
    if (sizes.length === 0) throw new NotShown("the scope takes no object of the probe's sizes");
    const run = keys.crossing.split("/").at(-2) ?? "verify";
    const plan = planObjects({ run, sizes, count: PROBE_COUNT, directions });
    const onSample = ({ object, attempts }: Sample) =>
      note(`${object.direction} ${sizeText(object.sizeBytes)}: ${attempts} looks`);
    const probers = openProbers(bridge);
    const measurement = await measure(plan, PROBE, { probers, time: systemTime, signal, onSample });
    if ("failure" in measurement) throw measurement.failure;
    const groups = groupsOf(recordsOf(measurement, bridge, PROBE.intervalMs));
    const gaveUp = groups.reduce((sum, group) => sum + group.gaveUp, 0);
    holds(
      gaveUp === 0,
      `${counted(gaveUp, "object")} did not arrive within ${(PROBE.attempts * PROBE.intervalMs) / 60_000} minutes`,
    );
    return groups.map(({ direction, sizeBytes, quantiles }) => latencyText(direction, sizeBytes, quantiles));
  },
};

function latencyText(direction: Direction, sizeBytes: number, quantiles: { p50Ms: number; maxMs: number } | undefined): string {
  const { p50Ms = 0, maxMs = 0 } = quantiles ?? {};
  return `${direction} ${sizeText(sizeBytes)}: median ${Math.round(p50Ms)} ms, longest ${Math.round(maxMs)} ms`;
}

export const destroyIsComplete: BridgeCheck = {
  ...common,
  name: "destroy-is-complete",
  fact: "`pulumi destroy` deletes every resource of a stack whose buckets are not retained.",
  why: "Unfinished uploads and many versions make the provider give a bucket up.",
  source: "docs/operations.md",
  reliesOn: ["components/aws/bucket.ts", "components/alicloud/bucket.ts"],
  timeoutMs: 60 * MINUTE_MS,
  notFor: onlyOwn,
  // The runner destroys the stack at the end, after every other check, and reports the outcome under this name.
  run: () => Promise.reject(new NotShown("the stack was kept")),
};
