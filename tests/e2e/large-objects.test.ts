/** The copier copies objects above the inline limit in parts, and resumes a copy that was interrupted. */
import { randomBytes } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Lease } from "../../runtime/replication/lease";
import { leaveBegunCopy } from "./support/begun-copy";
import { eventually } from "./support/eventually";
import { converged, head, listKeys, put, sha256, versions } from "./support/objects";
import { settled, takeDeadLetters } from "./support/queues";
import { receiptsFor } from "./support/receipts";
import { proxyReceiver, proxySourceReads, START_MS, startTestStack, type TestStack, testOn } from "./support/stack";
import type { Exchange, SeenRequest, TlsProxy } from "./support/tls-proxy";
import { stopAt, treatOnce } from "./support/treat-once";
import { killWorkers } from "./support/workers";

const MIB = 1024 * 1024;
const LIMIT_BYTES = MIB;
const PART_BYTES = 5 * MIB;
/** Four parts, the last one shorter. */
const SIZE_BYTES = 17 * MIB + 17;
const RANGES = [
  "bytes=0-5242879",
  "bytes=5242880-10485759",
  "bytes=10485760-15728639",
  `bytes=15728640-${SIZE_BYTES - 1}`,
] as const;
/** Provenance records are beside these, and stay. */
const CONTROL = ".crossborderbridge/dev/";

let stack: TestStack | undefined;
let reads: TlsProxy;
let receiver: TlsProxy;
const onStack = testOn(() => stack);

beforeAll(async () => {
  stack = await startTestStack({
    settings: {
      "crossborderbridge:inlineLimitBytes": LIMIT_BYTES,
      "crossborderbridge:copy": { partSizeBytes: PART_BYTES, partsAtOnce: 2, concurrency: 8, timeoutSeconds: 60 },
    },
  });
  reads = await proxySourceReads(stack);
  receiver = await proxyReceiver(stack);
}, START_MS);

afterAll(async () => {
  await stack?.stop();
  await reads?.close();
  await receiver?.close();
});

const isOf =
  ({ source }: TestStack, key: string, range?: string) =>
  (request: SeenRequest | Exchange) =>
    request.path.startsWith(`/${source.bucket}/${key}?`) && (range === undefined || request.range === range);

/** The ranges that were read, in ascending order. Reads of one byte are left out. */
function rangesRead(running: TestStack, key: string): (string | undefined)[] {
  const ranges = reads.exchanges
    .filter(isOf(running, key))
    .filter(({ path }) => !/[?&]tagging(?:[=&]|$)/.test(path))
    .map(({ range }) => range);
  const first = (range = "") => Number(/\d+/.exec(range)?.[0] ?? -1);
  return ranges.filter((range) => range !== "bytes=0-0").sort((a, b) => first(a) - first(b));
}

/** Number of presigned URLs by which the parts were read. Each run of a copier has its own. */
function urlsRead(running: TestStack, key: string): number {
  const parts = reads.exchanges.filter(isOf(running, key)).filter(({ range }) => range !== undefined && range !== "bytes=0-0");
  return new Set(parts.map(({ path }) => path)).size;
}

async function expectArrived(running: TestStack, key: string, body: Buffer): Promise<void> {
  await converged(running, key);
  await settled(running);
  expect(await versions(running.destination, key)).toEqual([sha256(body)]);
}

describe("side by side", () => {
  const bodies = {
    within: randomBytes(LIMIT_BYTES),
    above: randomBytes(LIMIT_BYTES + 1),
    large: randomBytes(SIZE_BYTES),
    broken: randomBytes(SIZE_BYTES),
    expired: randomBytes(SIZE_BYTES),
  };
  const ownParts = [randomBytes(6 * MIB), randomBytes(3 * MIB)];

  // Each copy waits for the next notice, so all wait together.
  beforeAll(async () => {
    const running = stack;
    if (running === undefined) return;
    void treatOnce(reads, isOf(running, "broken", RANGES[1]), () => ({ kind: "cut", afterBytes: MIB }));
    void treatOnce(reads, isOf(running, "expired", RANGES[3]), async () => {
      await partsThere(running, "expired", [1, 2, 3]);
      const body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
      return { kind: "answer", status: 403, body };
    });
    const attributes = { Metadata: { kind: "large" }, Tagging: "kind=large" };
    for (const key of ["large", "broken", "expired", "own-parts"]) await leaveBegunCopy(running, key);
    for (const [key, body] of Object.entries(bodies)) await put(running.source, key, body, attributes);
    await putInParts(running, "own-parts", ownParts);
  });

  onStack("the receiver writes an object of the inline limit, and the copier one with a byte more", async (running) => {
    await expectArrived(running, "within", bodies.within);
    await expectArrived(running, "above", bodies.above);
    expect((await head(running.destination, "within")).ETag).not.toMatch(/-/);
    expect(rangesRead(running, "within")).toEqual([undefined]);
    // As one stream or in parts: the copier chooses by the link.
    expect(receiptsFor(receiver, "above").join()).toMatch(/^(in-progress,)+unchanged$/);
  });

  onStack("a large object gets the receipt in-progress until it is copied, and each part is read once", async (running) => {
    await expectArrived(running, "large", bodies.large);
    expect((await head(running.destination, "large")).ETag).toMatch(/-4"$/);
    expect(rangesRead(running, "large")).toEqual(RANGES);
    expect(receiptsFor(receiver, "large").join()).toMatch(/^(in-progress,)+unchanged$/);
    expect(urlsRead(running, "large")).toBe(1);
  });

  onStack("an object that was uploaded in parts arrives whole", async (running) => {
    await expectArrived(running, "own-parts", Buffer.concat(ownParts));
    expect((await head(running.destination, "own-parts")).ContentType).toBe("video/mp4");
  });

  onStack("after a broken connection the same run reads only that part again", async (running) => {
    await expectArrived(running, "broken", bodies.broken);
    expect(rangesRead(running, "broken")).toEqual([RANGES[0], RANGES[1], RANGES[1], RANGES[2], RANGES[3]]);
    expect(urlsRead(running, "broken")).toBe(1);
  });

  onStack("after a URL expires the copy resumes from the uploaded parts with a fresh URL", async (running) => {
    await expectArrived(running, "expired", bodies.expired);
    expect(urlsRead(running, "expired")).toBe(2);
    expect(rangesRead(running, "expired")).toEqual([...RANGES, RANGES[3]]);
  });
});

onStack(
  "a copier is killed: nothing is copied during its lease, then the copy resumes from the uploaded parts",
  async (running) => {
    const { source, destination, local } = running;
    const body = randomBytes(SIZE_BYTES);
    const stop = stopAt(reads, isOf(running, "killed", RANGES[2]), (until) => ({ kind: "pause", afterBytes: MIB, until }));
    await leaveBegunCopy(running, "killed");
    await put(source, "killed", body);
    await stop.reached;
    await partsThere(running, "killed", [1, 2, 4]);
    expect(await killWorkers(destination.cloud, local.outputs.copierFunctionName)).toBeGreaterThan(0);
    stop.release();

    await eventually(() => expect(receiptsFor(receiver, "killed").join()).toMatch(/^in-progress(,in-progress)+$/), {
      deadlineMs: 60_000,
      what: "the sender sent the notice again",
    });
    expect(rangesRead(running, "killed")).toEqual(RANGES);
    expect(await versions(destination, "killed")).toEqual([]);

    await endLease(running);
    await expectArrived(running, "killed", body);
    expect(rangesRead(running, "killed")).toEqual([RANGES[0], RANGES[1], RANGES[2], RANGES[2], RANGES[3]]);
  },
);

onStack("no record, no upload and no dead letter is left", async (running) => {
  const { destination } = running;
  const { Uploads = [] } = await destination.s3.send(new ListMultipartUploadsCommand({ Bucket: destination.bucket }));
  expect(Uploads).toEqual([]);
  expect(await listKeys(destination, CONTROL)).toEqual([]);
  expect(await takeDeadLetters(running)).toEqual([]);
});

async function putInParts({ source }: TestStack, key: string, bodies: readonly Buffer[]): Promise<void> {
  const target = { Bucket: source.bucket, Key: key };
  const { UploadId } = await source.s3.send(new CreateMultipartUploadCommand({ ...target, ContentType: "video/mp4" }));
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const { ETag } = await source.s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  await source.s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
}

/** Waits until the upload of the key has these parts. */
async function partsThere({ destination: { s3, bucket } }: TestStack, key: string, partNumbers: number[]): Promise<void> {
  await eventually(
    async () => {
      const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      const UploadId = Uploads.find(({ Key }) => Key === key)?.UploadId;
      const { Parts = [] } = await s3.send(new ListPartsCommand({ Bucket: bucket, Key: key, UploadId }));
      expect(Parts.map(({ PartNumber }) => PartNumber)).toEqual(partNumbers);
    },
    { deadlineMs: 10_000, what: `the parts ${partNumbers.join()} are uploaded` },
  );
}

/** Ends the only lease now. It lasts two minutes, and the test cannot change the functions' clock. */
async function endLease({ destination: { s3, bucket }, destination }: TestStack): Promise<void> {
  const [Key, ...others] = (await listKeys(destination, CONTROL)).filter((key) => key.includes("/leases/"));
  expect(others).toEqual([]);
  const held = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
  const lease = JSON.parse((await held.Body?.transformToString()) ?? "") as Lease;
  expect(lease.leaseUntilMs).toBeGreaterThan(Date.now());
  const Body = JSON.stringify({ ...lease, leaseUntilMs: Date.now() - 1 } satisfies Lease);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, IfMatch: held.ETag }));
}
