import { randomBytes } from "node:crypto";
import type OSS from "ali-oss";
import { crc64Of } from "../../src/crc64";
import { type Client, type OssFixture, refusal, startFixture } from "./oss-fixture";
import { sendSigned } from "./raw-request";

const BUCKET = "append-of-tests";
let fixture: OssFixture;
let client: Client;
/** How far the server's clock is ahead. OSS accepts a quarter of an hour. */
let aheadMs = 0;
const serverTime = () => Date.now() + aheadMs;
beforeAll(async () => {
  fixture = await startFixture({ now: serverTime });
  client = await fixture.bucket(BUCKET);
});
afterAll(() => fixture.stop());

const headersOf = (result: unknown) => (result as { res: { headers: Record<string, string> } }).res.headers;

describe("append", () => {
  test("adds at the end and returns the next position", async () => {
    const bytes = randomBytes(1000);
    const first = (await client.append("log", bytes.subarray(0, 400))) as unknown as { nextAppendPosition: string };
    expect(first.nextAppendPosition).toBe("400");
    const second = await client.append("log", bytes.subarray(400), { position: "400" });
    expect(headersOf(second)).toMatchObject({
      "x-oss-next-append-position": "1000",
      "x-oss-hash-crc64ecma": crc64Of(bytes),
    });
    expect((await client.get("log")).content.equals(bytes)).toBe(true);
    expect(headersOf(await client.head("log"))).toMatchObject({
      "x-oss-object-type": "Appendable",
      "x-oss-next-append-position": "1000",
    });
    expect(headersOf(await client.head("log"))["content-md5"]).toBeUndefined();
  });

  test("at another position is refused with the right position", async () => {
    await client.append("position", Buffer.from("12345"));
    for (const position of ["0", "4", "6"])
      expect(await refusal(client.append("position", Buffer.from("x"), { position }))).toEqual({
        status: 409,
        code: "PositionNotEqualToLength",
      });
    const answer = await sendSigned(
      fixture,
      { method: "POST", body: "x", headers: { "content-length": "1" } },
      { bucket: BUCKET, key: "position", queries: { append: "", position: "0" } },
    );
    expect(answer).toMatchObject({ status: 409, headers: { "x-oss-next-append-position": "5" } });
    expect(await refusal(client.append("fresh", Buffer.from("x"), { position: "1" }))).toEqual({
      status: 409,
      code: "PositionNotEqualToLength",
    });
  });

  test("to an object that was put is refused", async () => {
    await client.put("normal", Buffer.from("x"));
    expect(await refusal(client.append("normal", Buffer.from("y"), { position: "1" }))).toEqual({
      status: 409,
      code: "ObjectNotAppendable",
    });
  });

  test("after the first ignores tags, metadata and encryption, valid or not", async () => {
    const tags = Array.from({ length: 15 }, (_, index) => `key${index}=v`).join("&");
    const append = (position: string, headers: Record<string, string>) =>
      sendSigned(
        fixture,
        { method: "POST", body: "x", headers: { "content-length": "1", ...headers } },
        { bucket: BUCKET, key: "ignored", queries: { append: "", position } },
      );
    expect(await append("0", { "x-oss-tagging": tags })).toMatchObject({ status: 400, code: "InvalidTag" });
    expect(await append("0", { "x-oss-tagging": "first=1", "x-oss-meta-a": "first" })).toMatchObject({ status: 200 });
    for (const [index, headers] of [
      { "x-oss-tagging": tags },
      { "x-oss-tagging": "second=1", "x-oss-meta-a": "second" },
      { "x-oss-meta-a_b": "not a name", "x-oss-server-side-encryption": "ROT13" },
    ].entries())
      expect(await append(String(index + 1), headers as Record<string, string>)).toMatchObject({ status: 200 });
    expect((await client.getObjectTagging("ignored")).tag).toEqual({ first: "1" });
    expect((await client.head("ignored")).meta).toEqual({ a: "first" });
    expect((await client.get("ignored")).content).toHaveLength(4);
  });

  test("of two concurrent appends one succeeds", async () => {
    const results = await Promise.allSettled([client.append("race", Buffer.from("a")), client.append("race", Buffer.from("b"))]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await client.get("race")).content).toHaveLength(1);
  });

  test.each(["", "x", "-1"])("position %p is refused", async (position) => {
    const answer = await sendSigned(
      fixture,
      { method: "POST", body: "x", headers: { "content-length": "1" } },
      { bucket: BUCKET, key: "bad", queries: { append: "", position } },
    );
    expect(answer).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("creates no version when versioning is enabled", async () => {
    const versioned = await fixture.bucket("append-versions");
    await versioned.putBucketVersioning("append-versions", "Enabled");
    const first = headersOf(await versioned.append("log", Buffer.from("a")))["x-oss-version-id"];
    const second = headersOf(await versioned.append("log", Buffer.from("b"), { position: "1" }))["x-oss-version-id"];
    expect(second).toBe(first);
    await versioned.delete("log");
    // The delete marker has no length.
    expect(await refusal(versioned.append("log", Buffer.from("c"), { position: "2" }))).toEqual({
      status: 409,
      code: "PositionNotEqualToLength",
    });
  });
});

describe("symbolic links", () => {
  test("lead to their target", async () => {
    await client.put("target é", Buffer.from("there"));
    await client.putSymlink("link", "target é", {} as never);
    expect((await client.getSymlink("link")).targetName).toBe("target é");
    const got = await client.get("link");
    expect(got.content.toString()).toBe("there");
    expect(headersOf(got)["x-oss-object-type"]).toBe("Symlink");
  });

  test("have the length, ETag, MD5 and storage class of their target, the later time of both, and all else of their own", async () => {
    await client.put("original", Buffer.from("original"), {
      mime: "text/plain",
      meta: { of: "target" } as unknown as OSS.UserMeta,
      headers: { "x-oss-tagging": "of=target", "x-oss-storage-class": "IA" },
    });
    aheadMs += 60_000;
    const headers = { "x-oss-meta-of": "link", "content-type": "image/png", "x-oss-storage-class": "Standard" };
    await client.putSymlink("described", "original", { headers } as never);
    const target = headersOf(await client.head("original"));
    const expected = {
      "content-length": "8",
      etag: target.etag,
      "content-md5": target["content-md5"],
      "x-oss-storage-class": "IA",
      "content-type": "image/png",
      "x-oss-meta-of": "link",
      "x-oss-object-type": "Symlink",
    };
    const changedMs = (answer: unknown) => Date.parse(headersOf(answer)["last-modified"] ?? "");
    const linkMs = changedMs(await client.getSymlink("described"));
    expect(linkMs).toBeGreaterThanOrEqual(Date.parse(target["last-modified"] ?? "") + 60_000);
    for (const answer of [await client.head("described"), await client.get("described")]) {
      expect(changedMs(answer)).toBe(linkMs);
      expect(headersOf(answer)).toMatchObject(expected);
      expect(headersOf(answer)).not.toHaveProperty("x-oss-tagging-count");
      expect(headersOf(answer)).not.toHaveProperty("x-oss-hash-crc64ecma");
    }
    expect((await client.getObjectTagging("described")).tag).toEqual({});
    aheadMs += 60_000;
    await client.put("original", Buffer.from("changed"));
    const later = await client.head("described");
    expect(headersOf(later)).toMatchObject({ "content-length": "7", "x-oss-meta-of": "link" });
    expect(changedMs(later)).toBeGreaterThanOrEqual(linkMs + 60_000);
  });

  test("are read themselves by GetSymlink and GetObjectMeta", async () => {
    await client.put("far", Buffer.from("away"));
    await client.putSymlink("near", "far", { headers: { "x-oss-meta-of": "link" } } as never);
    const link = headersOf(await client.getSymlink("near"));
    expect(link).toMatchObject({ "x-oss-symlink-target": "far", "x-oss-meta-of": "link", "content-length": "0" });
    expect(headersOf(await client.getObjectMeta("near"))).toMatchObject({ etag: link.etag, "content-length": "0" });
    expect(link.etag).not.toBe(headersOf(await client.head("far")).etag);
  });

  test("to a missing key or to a link are refused, and so is GetSymlink of an object", async () => {
    await client.putSymlink("dangling", "nowhere", {} as never);
    expect(await refusal(client.get("dangling"))).toEqual({ status: 404, code: "SymlinkTargetNotExist" });
    await client.putSymlink("second", "dangling", {} as never);
    expect(await refusal(client.get("second"))).toEqual({ status: 400, code: "InvalidTargetType" });
    expect(await refusal(client.getSymlink("target é"))).toEqual({ status: 400, code: "NotSymlink" });
    expect(await refusal(client.putSymlink("itself", "itself", {} as never))).toEqual({ status: 400, code: "InvalidArgument" });
  });
});

describe("tagging", () => {
  test("is put, read and removed; the object stays as it is", async () => {
    await client.put("tagged", Buffer.from("x"), { headers: { "x-oss-tagging": "a=1&b=two%20words" } });
    const before = headersOf(await client.head("tagged"));
    expect((await client.getObjectTagging("tagged")).tag).toEqual({ a: "1", b: "two words" });
    await client.putObjectTagging("tagged", { c: "3" });
    expect((await client.getObjectTagging("tagged")).tag).toEqual({ c: "3" });
    expect(headersOf(await client.head("tagged"))).toMatchObject({
      "last-modified": before["last-modified"],
      "x-oss-tagging-count": "1",
    });
    await client.deleteObjectTagging("tagged");
    expect((await client.getObjectTagging("tagged")).tag).toEqual({});
  });

  test("of a missing key is refused", async () => {
    expect(await refusal(client.putObjectTagging("nothing", { a: "1" }))).toEqual({ status: 404, code: "NoSuchKey" });
    expect(await refusal(client.getObjectTagging("nothing"))).toEqual({ status: 404, code: "NoSuchKey" });
  });

  test.each<[string, string, string]>([
    ["without a set", "<Tagging/>", "MalformedXML"],
    [
      "with eleven tags",
      `<Tagging><TagSet>${Array.from({ length: 11 }, (_, i) => `<Tag><Key>k${i}</Key><Value>v</Value></Tag>`).join("")}</TagSet></Tagging>`,
      "InvalidTag",
    ],
    ["with a tag without a value", "<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>", "MalformedXML"],
  ])("%s is refused", async (_what, body, code) => {
    await client.put("tagged", Buffer.from("x"));
    expect(
      await sendSigned(fixture, { method: "PUT", body }, { bucket: BUCKET, key: "tagged", queries: { tagging: "" } }),
    ).toMatchObject({ status: 400, code });
  });
});
