/** Every way that an object can take through a bridge inside Alibaba Cloud, and each way in which a long copy can end. */
import { randomBytes } from "node:crypto";
import type OSS from "ali-oss";
import { ends } from "../../../local/cli/ends";
import { ossClient } from "../../../local/oss-client";
import { encodeLook } from "../../../runtime/protocol/queue-messages";
import { statusTagOf } from "../../../runtime/replication/snapshot";
import { eventually } from "../support/eventually";
import type { SeenRequest } from "../support/tls-proxy";
import { stopAt } from "../support/treat-once";
import { type Bridge, MIB, PREFIX, REGIONS, type Wires } from "./ram-bridges";

/** Two parts. */
const LARGE = 6 * MIB;
/** Long enough for a machine that is busy with other tests. */
const DEADLINE_MS = 120_000;
/** The name of its replica is longer than OSS allows. */
const TOO_LONG = `in/${"k".repeat(1018)}`;

/** OSS takes 8 KB of names and values. */
const FULL = { full: "m".repeat(8_150) };

/** The keys that exist at the end. */
const KEYS = [
  "in/large",
  "in/full-small",
  "in/full-large",
  "in/resumed",
  "in/abandoned",
  "in/superseded",
  "in/relabelled",
  "in/wrong-small",
  "in/wrong-large",
];

export async function takeEveryPath(bridge: Bridge, wires: Wires): Promise<void> {
  const { outputs, clouds } = bridge.local;
  const woken = outputs.dispatcherFunctionName ?? outputs.senderFunctionName ?? "";
  await Promise.all([
    changeAndDelete(bridge),
    // Copied in parts.
    bridge.source.put("in/large", randomBytes(LARGE), { tags: { of: "parts" } }),
    // The metadata leaves no room for the provenance, which goes into a record.
    bridge.source.put("in/full-small", Buffer.from("full"), { metadata: FULL }),
    bridge.source.put("in/full-large", randomBytes(LARGE), { metadata: FULL }),
    bridge.source.put(TOO_LONG, Buffer.from("parked")),
    clouds.alicloud.fc.invokeAsync(REGIONS[bridge.mode].source, woken, Buffer.from("no event")),
    failMidway(bridge, wires),
    overwriteMidway(bridge, wires),
    changeReplicaTags(bridge, wires),
    arriveWithWrongCrc(bridge, wires),
  ]);
  await bridge.events.settled();
  // The copier reads the record of the replica that it replaces.
  await bridge.source.put("in/full-large", randomBytes(LARGE), { metadata: FULL });
  await bridge.events.settled();
  // The event comes once more after everything has settled.
  await bridge.events.repeat("in/large");
  await bridge.events.settled();
  bridge.events.redeliver?.();
  await bridge.events.settled();
  await handOverWaitingKeys(bridge);
  await bridge.events.settled();
  // Reads the large objects only once, at the end.
  for (const key of KEYS) {
    const there = await bridge.source.look(key);
    const { [statusTagOf(bridge.name)]: status, ...tags } = there?.tags ?? {};
    expect({ key, status, ...(await bridge.destination.look(PREFIX + key)) }).toEqual({
      key,
      ...there,
      status: "COMPLETED",
      tags,
    });
    // The bytes that arrived wrong are not kept as an older version.
    if (key.startsWith("in/wrong")) expect(await bridge.destination.versions(PREFIX + key)).toBe(1);
  }
  expect((await bridge.events.deadLetters()).map(({ key }) => key).sort()).toEqual(["", TOO_LONG]);
}

/** A key waits in each queue, as after an outage: the tick finds the other side working, and hands both keys over. */
async function handOverWaitingKeys(bridge: Bridge): Promise<void> {
  const { messages } = bridge.local.clouds.alicloud;
  const region = REGIONS[bridge.mode].source;
  const queues = ["queue", "outage"].map((part) => `crossborderbridge-${bridge.name}-${part}`);
  const look = Buffer.from(encodeLook({ key: "in/large", firstSeenMs: Date.now(), failures: 0 }));
  for (const queue of queues) messages.send(region, queue, look);
  await eventually(
    () => expect(queues.flatMap((queue) => messages.messages(region, queue))).toEqual([]),
    until(bridge, "keys that wait are handed over"),
  );
}

/** Checks that OSS replicates a put and a delete. */
export async function replicateNatively(bridge: Bridge): Promise<void> {
  const { source, destination, local } = bridge;
  const settled = () => local.clouds.alicloud.oss.settled();
  await source.put("in/native", Buffer.from("replicated"));
  await settled();
  expect(await destination.look("in/native")).toEqual(await source.look("in/native"));
  await source.remove("in/native");
  await settled();
  expect(await destination.look("in/native")).toBeUndefined();
}

/** Puts an object, overwrites it, changes its tags, removes them, and deletes it. */
async function changeAndDelete(bridge: Bridge): Promise<void> {
  const { source, destination, events, local } = bridge;
  const key = "in/small";
  await source.put(key, Buffer.from("first"), { tags: { team: "data" }, metadata: { origin: "here" } });
  // Waits for the bridge's own change of tags before the next change, because no store can make a change of tags conditional.
  await completed(bridge, key);
  await source.put(key, Buffer.from("second"), { tags: { team: "data" } });
  await completed(bridge, key);

  await source.setTags(key, { team: "finance" });
  await events.repeat(key);
  await completed(bridge, key);
  expect((await destination.look(PREFIX + key))?.tags).toEqual({ team: "finance" });

  await (ossClient(ends(local).source) as OSS & { deleteObjectTagging(key: string): Promise<unknown> }).deleteObjectTagging(key);
  await events.repeat(key);
  await completed(bridge, key);
  expect((await destination.look(PREFIX + key))?.tags).toEqual({});

  await source.remove(key);
  await eventually(async () => expect(await destination.look(PREFIX + key)).toBeUndefined(), until(bridge, `${key} is gone`));
}

/** The source refuses one copier of each object. One copy is resumed; the other is given up, because the object was overwritten. */
async function failMidway(bridge: Bridge, { reads }: Wires): Promise<void> {
  let refusing = true;
  const isPart = (request: SeenRequest) =>
    of(bridge, "source", "in/resumed")(request) || of(bridge, "source", "in/abandoned")(request);
  reads.treat((request) =>
    refusing && isRange(request) && isPart(request) ? { kind: "answer", status: 403, body: "" } : undefined,
  );
  await bridge.source.put("in/resumed", randomBytes(LARGE));
  await bridge.source.put("in/abandoned", randomBytes(LARGE));
  await Promise.all(["in/resumed", "in/abandoned"].map((key) => copyEnds(bridge, key)));
  await bridge.source.put("in/abandoned", Buffer.from("smaller now"));
  refusing = false;
}

/** The object is overwritten at the source before its copy is done. */
async function overwriteMidway(bridge: Bridge, { reads }: Wires): Promise<void> {
  const key = "in/superseded";
  const stop = stopAt(
    reads,
    (request) => isRange(request) && of(bridge, "source", key)(request),
    (until) => ({ kind: "hold", until }),
  );
  await bridge.source.put(key, randomBytes(LARGE));
  await stop.reached;
  await bridge.source.put(key, Buffer.from("smaller now"));
  stop.release();
}

/** The replica's tags are changed after the upload is completed and before the copier verifies it: the copier takes the replica back. */
async function changeReplicaTags(bridge: Bridge, { writes }: Wires): Promise<void> {
  const key = "in/relabelled";
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let [isCompleted, isReleased] = [false, false];
  const reached = new Promise<void>((resolve) => {
    writes.treat((request) => {
      const { method, path } = request;
      if (isReleased || !of(bridge, "destination", key)(request)) return undefined;
      if (method === "POST" && path.includes("uploadId=")) isCompleted = true;
      if (!isCompleted || method !== "HEAD") return undefined;
      resolve();
      return { kind: "wait", until: released };
    });
  });
  await bridge.source.put(key, randomBytes(LARGE));
  await reached;
  await bridge.destination.setTags(PREFIX + key, { not: "ours" });
  isReleased = true;
  release();
}

/** OSS answers with another CRC-64 than that of the bytes: the bridge takes them back and sends them again. */
async function arriveWithWrongCrc(bridge: Bridge, { liar }: Wires): Promise<void> {
  const lied = Promise.all([
    liar.lieOnce(({ method, path }) => method === "PUT" && path.startsWith(pathOf(bridge, "destination", "in/wrong-small"))),
    liar.lieOnce(
      ({ method, path }) =>
        method === "POST" && path.startsWith(pathOf(bridge, "destination", "in/wrong-large")) && path.includes("uploadId="),
    ),
  ]);
  await bridge.source.put("in/wrong-small", Buffer.from("received wrong"));
  await bridge.source.put("in/wrong-large", randomBytes(LARGE));
  await lied;
}

const until = ({ name }: Bridge, what: string) => ({ deadlineMs: DEADLINE_MS, what: `${name}: ${what}` });

const pathOf = ({ buckets }: Bridge, side: "source" | "destination", key: string): string =>
  `/${buckets[side]}/${side === "source" ? "" : PREFIX}${key}`;

const of = (bridge: Bridge, side: "source" | "destination", key: string) => (request: SeenRequest) =>
  request.path.split("?")[0] === pathOf(bridge, side, key);

/** Whether a part is requested. A request for the first byte alone checks whether the object has changed. */
const isRange = ({ range }: SeenRequest): boolean => range !== undefined && range !== "bytes=0-0";

/** Waits for the status tag: setting it is the last step for an object. */
async function completed(bridge: Bridge, key: string): Promise<void> {
  await eventually(
    async () => expect((await bridge.source.look(key))?.tags[statusTagOf(bridge.name)]).toBe("COMPLETED"),
    until(bridge, `${key} is tagged as completed`),
  );
}

async function copyEnds(bridge: Bridge, key: string): Promise<void> {
  const { clouds, outputs } = bridge.local;
  const [region, name] =
    outputs.pusherFunctionName === undefined
      ? [REGIONS[bridge.mode].destination, outputs.copierFunctionName ?? ""]
      : [REGIONS[bridge.mode].source, outputs.pusherFunctionName];
  await eventually(
    () => {
      const lines = clouds.alicloud.fc.logs(region, name);
      expect(lines.some((line) => line.includes('"copy ends"') && line.includes(`"${PREFIX}${key}"`))).toBe(true);
    },
    until(bridge, `a copy of ${key} ends`),
  );
}
