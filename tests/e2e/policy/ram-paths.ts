/** Every way that an object can take through a bridge inside Alibaba Cloud, and each way in which a long copy can end. */
import { randomBytes } from "node:crypto";
import type OSS from "ali-oss";
import { ends } from "../../../local/cli/ends";
import { ossClient } from "../../../local/oss-client";
import { STATUS_TAG } from "../../../runtime/replication/snapshot";
import { eventually } from "../support/eventually";
import type { SeenRequest } from "../support/tls-proxy";
import { stopAt } from "../support/treat-once";
import { type Bridge, MIB, PREFIX, REGIONS, type Wires } from "./ram-bridges";

/** Two parts. */
const LARGE = 6 * MIB;
/** For a machine that is busy with other tests, too. */
const DEADLINE_MS = 120_000;
/** The name of its replica is longer than OSS allows. */
const TOO_LONG = `in/${"k".repeat(1018)}`;

/** What is there in the end. */
const KEYS = ["in/large", "in/resumed", "in/abandoned", "in/superseded", "in/relabelled", "in/wrong-small", "in/wrong-large"];

export async function takeEveryPath(bridge: Bridge, wires: Wires): Promise<void> {
  const { outputs, clouds } = bridge.local;
  const woken = outputs.dispatcherFunctionName ?? outputs.senderFunctionName ?? "";
  await Promise.all([
    liveAndDie(bridge),
    // In parts.
    bridge.source.put("in/large", randomBytes(LARGE), { tags: { of: "parts" } }),
    bridge.source.put(TOO_LONG, Buffer.from("parked")),
    clouds.alicloud.fc.invokeAsync(REGIONS[bridge.mode].source, woken, Buffer.from("no event")),
    failMidway(bridge, wires),
    moveOnMidway(bridge, wires),
    changeTagsBehindItsBack(bridge, wires),
    arriveWrong(bridge, wires),
  ]);
  await bridge.events.settled();
  // Once more when all is over.
  await bridge.events.repeat("in/large");
  await bridge.events.settled();
  // Large objects are looked at once, not over and over while the bridges work.
  for (const key of KEYS) {
    const there = await bridge.source.look(key);
    const { [STATUS_TAG]: status, ...tags } = there?.tags ?? {};
    expect({ key, status, ...(await bridge.destination.look(PREFIX + key)) }).toEqual({
      key,
      ...there,
      status: "COMPLETED",
      tags,
    });
    // What arrived wrong is not even kept as an older version.
    if (key.startsWith("in/wrong")) expect(await bridge.destination.versions(PREFIX + key)).toBe(1);
  }
  expect((await bridge.events.deadLetters()).map(({ key }) => key).sort()).toEqual(["", TOO_LONG]);
}

/** OSS replicates by itself. */
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

/** New, overwritten, with other tags, without tags, gone. */
async function liveAndDie(bridge: Bridge): Promise<void> {
  const { source, destination, events, local } = bridge;
  const key = "in/small";
  await source.put(key, Buffer.from("first"), { tags: { team: "data" }, metadata: { origin: "here" } });
  // Between two changes the bridge's own of the tags has to be over, as no store can make one conditional.
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

/** The source refuses a copier each: one is resumed, one is given up for what was written meanwhile. */
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

/** The source has another object by the time the copy is done. */
async function moveOnMidway(bridge: Bridge, { reads }: Wires): Promise<void> {
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

/** Between a completion and the look that proves it, somebody tags the replica: the copier takes that back. */
async function changeTagsBehindItsBack(bridge: Bridge, { writes }: Wires): Promise<void> {
  const key = "in/relabelled";
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isReleased = false;
  const reached = new Promise<void>((resolve) => {
    writes.treat((request) => {
      const { method, path } = request;
      if (isReleased || method !== "GET" || !path.includes("tagging") || !of(bridge, "destination", key)(request))
        return undefined;
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

/** OSS tells another CRC-64 than that of the bytes that were sent: they are taken back, and sent again. */
async function arriveWrong(bridge: Bridge, { liar }: Wires): Promise<void> {
  const told = Promise.all([
    liar.lieOnce(({ method, path }) => method === "PUT" && path.startsWith(pathOf(bridge, "destination", "in/wrong-small"))),
    liar.lieOnce(
      ({ method, path }) =>
        method === "POST" && path.startsWith(pathOf(bridge, "destination", "in/wrong-large")) && path.includes("uploadId="),
    ),
  ]);
  await bridge.source.put("in/wrong-small", Buffer.from("received wrong"));
  await bridge.source.put("in/wrong-large", randomBytes(LARGE));
  await told;
}

const until = ({ name }: Bridge, what: string) => ({ deadlineMs: DEADLINE_MS, what: `${name}: ${what}` });

const pathOf = ({ buckets }: Bridge, side: "source" | "destination", key: string): string =>
  `/${buckets[side]}/${side === "source" ? "" : PREFIX}${key}`;

const of = (bridge: Bridge, side: "source" | "destination", key: string) => (request: SeenRequest) =>
  request.path.split("?")[0] === pathOf(bridge, side, key);

/** Of a part; the first byte alone is how a URL is asked whether its object is still the same. */
const isRange = ({ range }: SeenRequest): boolean => range !== undefined && range !== "bytes=0-0";

/** The last that a function does for an object. */
async function completed(bridge: Bridge, key: string): Promise<void> {
  await eventually(
    async () => expect((await bridge.source.look(key))?.tags[STATUS_TAG]).toBe("COMPLETED"),
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
