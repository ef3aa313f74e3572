/** Reads the metrics of deployed canaries and makes events of their schedule. */
import { ends } from "../../../local/cli/ends";
import type { LocalStack } from "../../../local/local-stack";
import { probeWatchAnswerSchema } from "../../../runtime/protocol/probe";
import { canaryName, type ProbeSide } from "../../../runtime/roles/prober/names";
import { eventually } from "./eventually";
import { readRawLog } from "./logs";
import { type OperatedStack, operateStack, proberNames } from "./probe";

/** All log lines of a side's prober. */
export async function proberLog(local: LocalStack, side: ProbeSide): Promise<readonly string[]> {
  const name = proberNames(local)[side];
  const { cloud, region } = ends(local)[side];
  if (cloud === "alicloud") return local.clouds.alicloud.fc.logs(region, name);
  return await readRawLog({ ...local.clouds[cloud], region }, name);
}

export interface CanaryMetrics {
  ProbeLagMs?: number;
  ProbeGaveUp?: number;
}

/** Metrics that a side's prober wrote for CloudWatch or Simple Log Service, one record for each canary. */
export async function canaryMetrics(local: LocalStack, side: ProbeSide): Promise<CanaryMetrics[]> {
  const start = ends(local)[side].cloud === "alicloud" ? '{"level"' : '{"_aws"';
  const found: CanaryMetrics[] = [];
  for (const line of await proberLog(local, side)) {
    const at = line.indexOf(start);
    if (at === -1 || !line.includes("ProbeGaveUp")) continue;
    const record = JSON.parse(line.slice(at)) as CanaryMetrics & { metrics?: CanaryMetrics };
    const { ProbeLagMs, ProbeGaveUp } = record.metrics ?? record;
    found.push({ ...(ProbeLagMs === undefined ? {} : { ProbeLagMs }), ...(ProbeGaveUp === undefined ? {} : { ProbeGaveUp }) });
  }
  return found;
}

/**
 * The event that a side's cloud sends when a schedule is due.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
 * https://www.alibabacloud.com/help/en/fc/formats-of-event-for-different-triggers
 */
export function scheduledEvent(local: LocalStack, side: ProbeSide, dueMs: number): object {
  const name = proberNames(local)[side];
  const { cloud, region } = ends(local)[side];
  const time = `${new Date(dueMs).toISOString().slice(0, 19)}Z`;
  if (cloud === "alicloud") return { triggerTime: time, triggerName: name, payload: "" };
  const { partition, accountId } = local.clouds[cloud];
  return {
    version: "0",
    id: "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account: accountId,
    time,
    region,
    resources: [`arn:${partition}:events:${region}:${accountId}:rule/${name}`],
    detail: {},
  };
}

/**
 * Puts a canary of an old slot into both buckets, as if no prober had run since.
 * @returns its name
 */
export async function leaveOldCanary({ bridge, ask }: OperatedStack): Promise<string> {
  const name = canaryName({ bridgeId: bridge.config.name, from: "source", slotMs: Date.parse("2026-01-01T00:00:00Z") });
  await eventually(
    async () => {
      // A slot may begin in between and delete the canary before it arrives.
      await ask("source", { action: "put", objects: [{ name, sizeBytes: 16 }] });
      const watched = await ask("destination", { action: "watch", names: [name], attempts: 100, intervalMs: 50 });
      expect(probeWatchAnswerSchema.parse(watched).seen).toHaveLength(1);
    },
    { deadlineMs: 60_000, what: `${name} is in both buckets` },
  );
  return name;
}

/** Runs the probers by the command and by their schedule. */
export async function exerciseProbers(local: LocalStack, stack: string): Promise<void> {
  const { probe, wake, close } = await operateStack(local, stack);
  try {
    const { exitCode, noted } = await probe(["--sizes", "1KiB", "--count", "1", "--interval-ms", "50"]);
    expect({ exitCode, noted }).toEqual({ exitCode: 0, noted: expect.any(Array) });
    const dueMs = Date.now();
    await Promise.all((["source", "destination"] as const).map((side) => wake(side, scheduledEvent(local, side, dueMs))));
    await eventually(
      async () => expect(await canaryMetrics(local, "destination")).toContainEqual(expect.objectContaining({ ProbeGaveUp: 0 })),
      { deadlineMs: 60_000, what: "the canary arrives at the destination" },
    );
  } finally {
    await close();
  }
}
