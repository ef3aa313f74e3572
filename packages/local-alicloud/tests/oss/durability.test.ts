import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ensureCertificate } from "../../src/certificate";
import { startLocalOss } from "../../src/oss/local-oss";
import { type Client, type OssFixture, ROOT, refusal, SHANGHAI, startFixture } from "./oss-fixture";

const BUCKET = "durability-of-tests";
let fixture: OssFixture;
let client: Client;
beforeEach(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
});
afterEach(() => fixture.stop());

const folder = () => join(fixture.dataDir, "buckets", BUCKET);
const files = async (of: string) =>
  (await readdir(join(folder(), of), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
/** A new client: the ports change with a restart. */
const again = async () => {
  await fixture.restart();
  return fixture.client({ bucket: BUCKET });
};

test("objects, versions, uploads and settings survive a restart", async () => {
  const bytes = randomBytes(300_000);
  await client.put("key", Buffer.from("one"), { headers: { "x-oss-tagging": "a=1" } });
  await client.putBucketVersioning(BUCKET, "Enabled");
  await client.put("key", Buffer.from("two"));
  await client.multipartUpload("parts", bytes, { partSize: 102_400 });
  const { uploadId } = await client.initMultipartUpload("open");
  const { etag } = await client._uploadPart("open", uploadId, 1, { stream: Readable.from([bytes]), size: bytes.byteLength });
  const after = await again();
  expect((await after.get("key")).content.toString()).toBe("two");
  expect((await after.getObjectTagging("key", { versionId: "null" })).tag).toEqual({ a: "1" });
  expect((await after.get("parts")).content.equals(bytes)).toBe(true);
  await after.completeMultipartUpload("open", uploadId, [{ number: 1, etag }]);
  expect((await after.get("open")).content.equals(bytes)).toBe(true);
  expect((await after.getBucketVersioning(BUCKET)).versionStatus).toBe("Enabled");
});

test("replaced and deleted data is removed from the disk", async () => {
  await client.put("key", Buffer.from("one"));
  await client.put("key", Buffer.from("two"));
  expect(await files("data")).toHaveLength(1);
  const { uploadId } = await client.initMultipartUpload("parts");
  await client._uploadPart("parts", uploadId, 1, { stream: Readable.from([Buffer.from("x")]), size: 1 });
  await client.abortMultipartUpload("parts", uploadId);
  await client.delete("key");
  expect(await files("data")).toEqual([]);
  expect(await files("objects")).toEqual([]);
  expect(await readdir(join(folder(), "uploads"))).toEqual([]);
});

test("unfinished writes are removed at the next start", async () => {
  await client.put("key", Buffer.from("kept"));
  await mkdir(join(folder(), "data", "00"), { recursive: true });
  await writeFile(join(folder(), "data", "00", "00-orphan"), "never named");
  const [record = ""] = await files("objects");
  await writeFile(join(folder(), "objects", record.slice(0, 2), `${record}.x.draft`), '{"key":');
  await mkdir(join(fixture.dataDir, "buckets", "half-deleted", "data"), { recursive: true });
  const after = await again();
  expect((await after.get("key")).content.toString()).toBe("kept");
  expect(await files("data")).toHaveLength(1);
  expect(await files("objects")).toEqual([record]);
  expect(await readdir(join(fixture.dataDir, "buckets"))).toEqual([BUCKET]);
});

test("an upload that was completed just before the process ended has ended, and the object has its data", async () => {
  const bytes = randomBytes(120_000);
  const { uploadId } = await client.initMultipartUpload("key");
  const { etag } = await client._uploadPart("key", uploadId, 1, { stream: Readable.from([bytes]), size: bytes.byteLength });
  const uploads = join(folder(), "uploads", uploadId);
  await cp(uploads, join(fixture.dataDir, "saved"), { recursive: true });
  await client.completeMultipartUpload("key", uploadId, [{ number: 1, etag }]);
  // As if the process had ended between the object's record and the end of the upload.
  await cp(join(fixture.dataDir, "saved"), uploads, { recursive: true });
  const after = await again();
  expect(await refusal(after.abortMultipartUpload("key", uploadId))).toEqual({ status: 404, code: "NoSuchUpload" });
  expect((await after.get("key")).content.equals(bytes)).toBe(true);
});

describe("killed in the middle of writes", () => {
  let child: ChildProcess;
  afterEach(() => {
    child.kill("SIGKILL");
  });

  test("every key has one complete body that was sent", async () => {
    const dataDir = join(fixture.dataDir, "killed");
    child = fork(join(__dirname, "oss-process.ts"), [dataDir, join(fixture.dataDir, "state")], { execArgv: ["--import", "tsx"] });
    const [endpoint] = (await once(child, "message")) as [string];
    const victim = fixture.client({ bucket: BUCKET, endpoint } as object);
    await victim.putBucket(BUCKET);
    const acknowledged = new Set<string>();
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let round = 0; ; round++) {
        const key = `key-${writer}-${round % 3}`;
        try {
          await victim.put(key, Buffer.alloc(200_000, round % 256));
        } catch {
          return;
        }
        acknowledged.add(key);
        if (acknowledged.size === 20) child.kill("SIGKILL");
      }
    });
    await Promise.all(writers);
    const survivor = await startLocalOss({
      regions: [SHANGHAI],
      dataDir,
      tls: await ensureCertificate(join(fixture.dataDir, "state")),
      credentials: {
        find: () => ({
          secret: ROOT.accessKeySecret,
          principal: { accountId: "1234567890123456", arn: "acs:ram::1234567890123456:root" },
        }),
      },
    });
    try {
      const reader = fixture.client({ bucket: BUCKET, endpoint: survivor.endpoints[SHANGHAI]?.public } as object);
      expect(acknowledged.size).toBeGreaterThanOrEqual(20);
      for (const key of acknowledged) {
        const { content } = await reader.get(key);
        expect(content).toHaveLength(200_000);
        expect(content.equals(Buffer.alloc(200_000, content[0] as number))).toBe(true);
      }
    } finally {
      await survivor.stop();
    }
  }, 60_000);
});
