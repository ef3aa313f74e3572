/** The destination ends equal to the source after any change of an object or its events, and equal objects move no bytes. */
import { randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectTaggingCommand,
  RestoreObjectCommand,
} from "@aws-sdk/client-s3";
import { PROVENANCE_PREFIX } from "../../runtime/protocol/control";
import { inBatches } from "./support/batches";
import { leaveBegunCopy } from "./support/begun-copy";
import { eventually } from "./support/eventually";
import { converged, head, listKeys, look, put, remove, sha256, versions } from "./support/objects";
import { sendEvent, settled, takeDeadLetters } from "./support/queues";
import { proxySourceReads, START_MS, startTestStack, type TestStack, testOn } from "./support/stack";
import type { Exchange, SeenRequest, TlsProxy } from "./support/tls-proxy";
import { stopAt } from "./support/treat-once";

const MIB = 1024 * 1024;
const SMALL_BYTES = MIB - 1;
/** Three parts. */
const LARGE_BYTES = 12 * MIB;

let stack: TestStack | undefined;
let reads: TlsProxy;
const onStack = testOn(() => stack);

beforeAll(async () => {
  stack = await startTestStack({
    settings: {
      "crossborderbridge:inlineLimitBytes": MIB,
      "crossborderbridge:copy": { partSizeBytes: 5 * MIB, partsAtOnce: 2, concurrency: 2, timeoutSeconds: 60 },
    },
  });
  reads = await proxySourceReads(stack);
}, START_MS);

afterAll(async () => {
  await stack?.stop();
  await reads?.close();
});

const isOf =
  ({ source }: TestStack, key: string) =>
  (request: SeenRequest | Exchange) =>
    request.path.startsWith(`/${source.bucket}/${encodeURIComponent(key)}?`);

/** Object bytes read at the source. Reads of a single byte check that the object is current and do not count, and reads of tags do not. */
function bytesRead(running: TestStack, key: string): number {
  return reads.exchanges
    .filter(({ path }) => !/[?&]tagging(?:[=&]|$)/.test(path))
    .filter((exchange) => isOf(running, key)(exchange) && (exchange.status === 200 || exchange.range !== "bytes=0-0"))
    .reduce((sum, { status, bodyBytes }) => sum + (status === 200 || status === 206 ? bodyBytes : 0), 0);
}

describe("an event", () => {
  for (const [path, sizeBytes] of [
    ["small", 1000],
    ["large", LARGE_BYTES],
  ] as const) {
    onStack(`that comes again for a ${path} object moves no bytes`, async (running) => {
      const key = `again-${path}`;
      // A stream that is given up for parts would read some bytes twice.
      if (path === "large") await leaveBegunCopy(running, key);
      await put(running.source, key, randomBytes(sizeBytes));
      await converged(running, key);
      await settled(running);
      expect(bytesRead(running, key)).toBe(sizeBytes);
      const before = reads.exchanges.length;

      await Promise.all([sendEvent(running, key), sendEvent(running, key), sendEvent(running, key, "ObjectTagging:Put")]);
      await settled(running);
      expect(reads.exchanges.length).toBe(before);
      expect(await versions(running.destination, key)).toHaveLength(1);
    });
  }

  onStack("of a removal that comes late, for an object that exists, removes nothing", async (running) => {
    await put(running.source, "reversed", "there");
    await converged(running, "reversed");
    await sendEvent(running, "reversed", "ObjectRemoved:DeleteMarkerCreated");
    await settled(running);
    expect(await look(running.destination, "reversed")).toEqual(await look(running.source, "reversed"));
  });

  onStack("of a creation that comes late, for an object that is deleted, creates nothing", async (running) => {
    await put(running.source, "gone", "soon");
    await converged(running, "gone");
    await remove(running.source, "gone");
    await sendEvent(running, "gone", "ObjectCreated:Put");
    expect(await converged(running, "gone")).toBeUndefined();
    await settled(running);
    expect(await look(running.destination, "gone")).toBeUndefined();
  });
});

describe("an object that is overwritten", () => {
  onStack("before it is read: only the new object arrives", async (running) => {
    const stop = stopAt(reads, isOf(running, "overwritten-before"), (until) => ({ kind: "wait", until }));
    await put(running.source, "overwritten-before", "old");
    await stop.reached;
    await put(running.source, "overwritten-before", "newer");
    stop.release();
    await converged(running, "overwritten-before");
    await settled(running);
    expect(await versions(running.destination, "overwritten-before")).toEqual([sha256("newer")]);
  });

  onStack("while it is read: whole objects arrive, the new one last", async (running) => {
    const [old, newer] = [randomBytes(SMALL_BYTES), randomBytes(SMALL_BYTES - 1)];
    const stop = stopAt(reads, isOf(running, "overwritten-meanwhile"), (until) => ({ kind: "pause", afterBytes: 1000, until }));
    await put(running.source, "overwritten-meanwhile", old);
    await stop.reached;
    await put(running.source, "overwritten-meanwhile", newer);
    stop.release();
    await converged(running, "overwritten-meanwhile");
    await settled(running);
    expect((await look(running.destination, "overwritten-meanwhile"))?.sha256).toBe(sha256(newer));
    for (const one of await versions(running.destination, "overwritten-meanwhile"))
      expect([sha256(old), sha256(newer)]).toContain(one);
  });

  onStack("or deleted while it is copied in parts: only the new state arrives", async (running) => {
    const replace = async (key: string, newer: Buffer | undefined) => {
      const stop = stopAt(reads, isOf(running, key), (until) => ({ kind: "pause", afterBytes: MIB, until }));
      await put(running.source, key, randomBytes(LARGE_BYTES));
      await stop.reached;
      if (newer === undefined) await remove(running.source, key);
      else await put(running.source, key, newer);
      stop.release();
    };
    const [large, small] = [randomBytes(LARGE_BYTES - 1), randomBytes(1000)];
    await Promise.all([replace("now-large", large), replace("now-small", small), replace("now-gone", undefined)]);
    await settled(running);
    for (const [key, newer] of [
      ["now-large", [sha256(large)]],
      ["now-small", [sha256(small)]],
      ["now-gone", []],
    ] as const) {
      await converged(running, key);
      expect([key, await versions(running.destination, key)]).toEqual([key, newer]);
    }
  });
});

describe("an object that is removed", () => {
  onStack("is deleted at the destination", async (running) => {
    await put(running.source, "removed", "x");
    await converged(running, "removed");
    await remove(running.source, "removed");
    expect(await converged(running, "removed")).toBeUndefined();
  });

  onStack("between its event and its copy is not replicated", async (running) => {
    const stop = stopAt(reads, isOf(running, "removed-before"), (until) => ({ kind: "wait", until }));
    await put(running.source, "removed-before", "x");
    await stop.reached;
    await remove(running.source, "removed-before");
    stop.release();
    await settled(running);
    expect(await versions(running.destination, "removed-before")).toEqual([]);
  });

  onStack("in its newest version only: the version before it arrives", async (running) => {
    await put(running.source, "versioned", "first", { Metadata: { version: "1" }, Tagging: "version=1" });
    await converged(running, "versioned");
    const second = await put(running.source, "versioned", "second", { Metadata: { version: "2" } });
    await converged(running, "versioned");
    await settled(running);
    expect((await look(running.destination, "versioned"))?.metadata).toEqual({ version: "2" });

    await remove(running.source, "versioned", second);
    const arrived = await converged(running, "versioned");
    expect(arrived).toMatchObject({ sha256: sha256("first"), metadata: { version: "1" }, tags: { version: "1" } });
  });
});

describe("a change of", () => {
  onStack("tags alone moves no object bytes", async (running) => {
    await put(running.source, "retagged", randomBytes(5000), { Tagging: "a=1&b=2" });
    await converged(running, "retagged");
    await settled(running);
    const [bytes, before] = [bytesRead(running, "retagged"), await head(running.destination, "retagged")];
    expect(bytes).toBe(5000);

    const Tagging = { TagSet: [{ Key: "a", Value: "3" }] };
    await running.source.s3.send(new PutObjectTaggingCommand({ Bucket: running.source.bucket, Key: "retagged", Tagging }));
    expect((await converged(running, "retagged"))?.tags).toEqual({ a: "3" });
    await settled(running);
    expect(bytesRead(running, "retagged")).toBe(bytes);
    expect((await head(running.destination, "retagged")).VersionId).toBe(before.VersionId);
  });

  onStack("nothing but the version moves no bytes if the store has a 64-bit checksum", async (running) => {
    const same = randomBytes(5000);
    await put(running.source, "put-again", same, { ChecksumAlgorithm: "CRC64NVME" });
    await converged(running, "put-again");
    await put(running.source, "put-again", same, { ChecksumAlgorithm: "CRC64NVME" });
    await settled(running);
    expect(bytesRead(running, "put-again")).toBe(5000);
  });

  onStack("metadata and headers alone arrives", async (running) => {
    await put(running.source, "described", "the same", { Metadata: { a: "1" }, ContentType: "text/plain" });
    await converged(running, "described");
    await running.source.s3.send(
      new CopyObjectCommand({
        Bucket: running.source.bucket,
        Key: "described",
        CopySource: `${running.source.bucket}/described`,
        MetadataDirective: "REPLACE",
        Metadata: { a: "2" },
        ContentType: "text/markdown",
      }),
    );
    const arrived = await converged(running, "described");
    expect(arrived).toMatchObject({
      sha256: sha256("the same"),
      metadata: { a: "2" },
      headers: { contentType: "text/markdown" },
    });
  });
});

describe("a restore", () => {
  onStack("of an archived object, which one letter names, copies it when it is complete", async (running) => {
    const { s3, bucket: Bucket } = running.source;
    await put(running.source, "archived", "frozen", { StorageClass: "GLACIER" });
    await eventually(
      async () =>
        expect(await takeDeadLetters(running)).toMatchObject([
          { key: "archived", reason: expect.stringMatching(/^archived as GLACIER: restore it at the source/) },
        ]),
      { deadlineMs: 60_000, what: "the archived object has its letter" },
    );
    await s3.send(new RestoreObjectCommand({ Bucket, Key: "archived", RestoreRequest: { Days: 1 } }));
    expect((await converged(running, "archived"))?.sha256).toBe(sha256("frozen"));
    expect(await takeDeadLetters(running)).toEqual([]);
  });
});

describe("many objects", () => {
  onStack("put at once arrive, each read once", async (running) => {
    const keys = Array.from({ length: 200 }, (_, index) => `many-${index}`);
    await inBatches(keys, 20, (key) => put(running.source, key, `${key} `.repeat(20)));
    await settled(running);
    await inBatches(keys, 10, async (key) => {
      const body = `${key} `.repeat(20);
      expect([key, await versions(running.destination, key)]).toEqual([key, [sha256(body)]]);
      expect([key, bytesRead(running, key)]).toEqual([key, body.length]);
    });
  });

  onStack("leave no record, no upload, no dead letter and no other key", async (running) => {
    await settled(running);
    const { Uploads = [] } = await running.destination.s3.send(
      new ListMultipartUploadsCommand({ Bucket: running.destination.bucket }),
    );
    expect(Uploads).toEqual([]);
    expect(await takeDeadLetters(running)).toEqual([]);
    expect(await listKeys(running.destination, ".crossborderbridge/dev/")).toEqual([]);
    // Provenance records stay as long as their objects.
    const copied = (await listKeys(running.destination)).filter((key) => !key.startsWith(PROVENANCE_PREFIX));
    expect(copied.sort()).toEqual((await listKeys(running.source)).sort());
  });
});
