/** The tasks of the page on a bridge: count and compare the objects, measure the latency, and send dead letters again. */
import { randomBytes } from "node:crypto";
import type { CommandContext } from "../command";
import { groupByReason } from "../letters/letters";
import type { OperatedBridge } from "../operated-bridge";
import { remedyOf } from "../overview/remedies";
import { measure } from "../probe/measure";
import { assertSizesInScope, directionsOf, planObjects } from "../probe/plan";
import { openProbers } from "../probe/probers";
import { recordsOf } from "../probe/records";
import { groupsOf } from "../probe/summary";
import { systemTime } from "../probe/time";
import { listingPrefixes, scopesOf } from "../scopes";
import { assertBuckets } from "../sides";
import type { Knowledge } from "../status/knowledge";
import { createStatusReader } from "../status/read-status";
import { ReasonGroups } from "../status/reasons";
import { summarise } from "../status/summary";
import type { Task, TaskContext, TaskInput } from "./tasks";
import { verifySides } from "./verify-task";

export interface TaskDeps {
  bridge: OperatedBridge;
  access: CommandContext["access"];
  local: boolean;
  /** What the bridge says at this moment. */
  knowledge(): Promise<Knowledge>;
  /** Lets the page look at everything anew. */
  refresh(): void;
  now(): number;
}

/** The tasks that this bridge can do. */
export function tasksOf(deps: TaskDeps): Task[] {
  const count: Task = { name: "count", run: (context) => countObjects(deps, context) };
  const verify: Task = { name: "verify", run: (context, input) => verifySides(deps, context, input) };
  const probe: Task = { name: "probe", run: (context) => probeLatency(deps, context) };
  const redrive: Task = { name: "redrive", run: (context, input) => redriveLetters(deps, context, input) };
  const { proberFunctionNames, deadLetterQueueUrl } = deps.bridge.outputs;
  return [
    ...[count, verify],
    ...(proberFunctionNames === undefined ? [] : [probe]),
    ...(deadLetterQueueUrl === undefined ? [] : [redrive]),
  ];
}

/** What `redrive` does. Without a reason, all letters. */
async function redriveLetters({ bridge, refresh }: TaskDeps, { signal, report }: TaskContext, { reason }: TaskInput) {
  try {
    return await bridge.redrive({
      // The page names a reason as it groups the letters.
      select: (letters) => reason === undefined || groupByReason(letters).some((group) => group.reason === reason),
      limit: Number.MAX_SAFE_INTEGER,
      onProgress: ({ handed, left }) => report({ done: handed + left }),
      signal,
    });
  } finally {
    refresh();
  }
}

const CHECKED_AT_ONCE = 16;
const OBJECTS_BETWEEN_REPORTS = 100;

/** What `status` without keys shows. */
async function countObjects({ bridge, local, knowledge, now }: TaskDeps, { signal, report }: TaskContext) {
  await assertBuckets(bridge, signal);
  const read = createStatusReader(bridge, { side: "source", knowledge: await knowledge(), now, signal });
  const scopes = scopesOf(bridge.config);
  const groups = new ReasonGroups();
  let done = 0;
  const { statuses, objects, bytes } = await summarise({
    ...{ side: bridge.source, scopes, prefixes: listingPrefixes(scopes, ""), concurrency: CHECKED_AT_ONCE, signal, read },
    onStatus(status) {
      groups.add(status);
      done += 1;
      if (done % OBJECTS_BETWEEN_REPORTS === 0) report({ done });
    },
  });
  const troubles = groups.list().map((group) => ({ ...group, remedy: remedyOf(group, bridge, local) }));
  return { objects, bytes, statuses, troubles };
}

const PROBE = { sizes: [128 * 1024, 1024 ** 2], count: 5, attempts: 240, intervalMs: 250, parallel: 1, pauseMs: 0 };

/** What `probe` measures, with few objects. It removes what it wrote. */
async function probeLatency({ bridge, now }: TaskDeps, { signal, report }: TaskContext) {
  assertSizesInScope(PROBE.sizes, bridge);
  const { directions } = directionsOf("both", bridge);
  const run = `${new Date(now()).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z-${randomBytes(3).toString("hex")}`;
  const plan = planObjects({ run, sizes: PROBE.sizes, count: PROBE.count, directions });
  let done = 0;
  report({ done, total: plan.length });
  const measurement = await measure(plan, PROBE, {
    ...{ probers: openProbers(bridge), time: systemTime, signal },
    onSample: () => report({ done: ++done, total: plan.length }),
  });
  if ("failure" in measurement) throw measurement.failure;
  const left = measurement.leftBehind.map(({ side, name, reason }) => `${bridge[side].bucket}: ${name} (${reason})`);
  return { groups: groupsOf(recordsOf(measurement, bridge, PROBE.intervalMs)), intervalMs: PROBE.intervalMs, left };
}
