/** Every way that an object can take through a bridge between the partitions of AWS, and each way in which a long copy can end. */
import { randomBytes } from "node:crypto";
import { DeleteObjectCommand, PutObjectCommand, PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import { statusTagOf } from "../../../runtime/replication/snapshot";
import { leaveBegunCopy } from "../support/begun-copy";
import { eventually } from "../support/eventually";
import { readLog } from "../support/logs";
import { look, sha256 } from "../support/objects";
import { heldKeys, settled, takeDeadLetters } from "../support/queues";
import type { TestStack } from "../support/stack";
import type { TlsProxy } from "../support/tls-proxy";
import { INLINE_LIMIT_BYTES, PULL } from "./aws-bridges";

const COMPLETED = { [statusTagOf(PULL.name)]: "COMPLETED" };
const LARGE = INLINE_LIMIT_BYTES + 1024 ** 2;
/** Only copies read parts. The receiver reads one byte and the tags, to see that the source still is as the notice says. */
const isPart = (range: string | undefined) => range !== undefined && range !== "bytes=0-0";

/** Takes small and large, new, overwritten, deleted and parked objects, each end of a long copy, and an outage of the receiver. */
export async function takeEveryPath(on: TestStack, source: TlsProxy, receiver: TlsProxy): Promise<void> {
  const { s3, bucket: Bucket } = on.source;
  const put = (Key: string, Body: string | Buffer) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, Tagging: "watched=yes&team=data", Metadata: { origin: "here" } }));
  const copyEnds = (key: string) =>
    eventually(
      async () => {
        const log = await readLog(on.destination.cloud, on.local.outputs.copierFunctionName);
        expect(log.some(({ message, key: of }) => message === "copy ends" && of === on.destination.prefix + key)).toBe(true);
      },
      { deadlineMs: 90_000, what: `the copy of ${key} ends` },
    );

  const arrives = (key: string, body: string) =>
    eventually(async () => expect((await look(on.destination, key))?.sha256).toBe(sha256(Buffer.from(body))), {
      deadlineMs: 90_000,
      what: `${key} arrives`,
    });

  await put("in/small", "first");
  await arrives("in/small", "first");
  await put("in/small", "second");
  await arrives("in/small", "second");
  // Waits for the sender's own change of tags, because no store can make a change of tags conditional.
  await eventually(async () => expect((await look(on.source, "in/small"))?.tags).toMatchObject(COMPLETED), {
    deadlineMs: 90_000,
    what: "the sender has set its status tag",
  });
  const TagSet = [
    { Key: "watched", Value: "yes" },
    { Key: "team", Value: "finance" },
  ];
  await s3.send(new PutObjectTaggingCommand({ Bucket, Key: "in/small", Tagging: { TagSet } }));
  await eventually(
    async () => expect((await look(on.destination, "in/small"))?.tags).toEqual({ watched: "yes", team: "finance" }),
    {
      deadlineMs: 90_000,
      what: "the changed tag arrives",
    },
  );
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "in/small" }));
  // The name of its replica is longer than a store allows.
  await put(`in/${"k".repeat(1021)}`, "parked");
  await put("in/large", randomBytes(LARGE));
  for (const key of ["in/full-large", "in/resumed", "in/abandoned", "in/superseded"]) await leaveBegunCopy(on, key);
  // The metadata leaves no room for the provenance, which goes into a record.
  const full = { Bucket, Tagging: "watched=yes", Metadata: { full: "m".repeat(2_000) } };
  await s3.send(new PutObjectCommand({ ...full, Key: "in/full-small", Body: "full" }));
  await s3.send(new PutObjectCommand({ ...full, Key: "in/full-large", Body: randomBytes(LARGE) }));

  // The source fails one copier of each object. One copy is resumed; the other is given up, because the object was overwritten.
  let failing = true;
  source.treat(({ path, range }) =>
    failing && isPart(range) && /\/in\/(resumed|abandoned)\?/.test(path) ? { kind: "answer", status: 503, body: "" } : undefined,
  );
  await put("in/resumed", randomBytes(LARGE));
  await put("in/abandoned", randomBytes(LARGE));
  await copyEnds("in/resumed");
  await copyEnds("in/abandoned");
  failing = false;
  await put("in/abandoned", "smaller now");

  // One object is overwritten at the source before its copy is done.
  let release: () => void = () => undefined;
  const overwritten = new Promise<void>((resolve) => {
    release = resolve;
  });
  const requested = new Promise<void>((resolve) => {
    source.treat(({ path, range }) => {
      if (!isPart(range) || !path.includes("/in/superseded?")) return undefined;
      resolve();
      return { kind: "hold", until: overwritten };
    });
  });
  await put("in/superseded", randomBytes(LARGE));
  await requested;
  await put("in/superseded", "smaller now");
  release();

  await settled(on, 90_000);
  // The copier reads the record of the replica that it replaces.
  await s3.send(new PutObjectCommand({ ...full, Key: "in/full-large", Body: randomBytes(LARGE) }));
  await settled(on, 90_000);
  await receiver.refuse();
  await put("in/held", "waits for the receiver");
  await eventually(async () => expect(await heldKeys(on)).toBeGreaterThan(0), {
    deadlineMs: 90_000,
    what: "the key waits in the outage queue",
  });
  await receiver.listen();
  await arrives("in/held", "waits for the receiver");
  await settled(on, 90_000);
  expect(await look(on.destination, "in/small")).toBeUndefined();
  expect(await takeDeadLetters(on)).toHaveLength(1);
}
