import type OSS from "ali-oss";
import { type Client, type ListedVersions, type OssFixture, refusal, startFixture } from "./oss-fixture";

const BUCKET = "versions-of-tests";
let fixture: OssFixture;
let client: Client;
beforeEach(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
});
afterEach(() => fixture.stop());

const idOf = (result: unknown) =>
  (result as { res: { headers: Record<string, string> } }).res.headers["x-oss-version-id"] as string;
const put = async (text: string, key = "key") => idOf(await client.put(key, Buffer.from(text)));
const read = async (versionId?: string, key = "key") =>
  (await client.get(key, (versionId === undefined ? {} : { versionId }) as OSS.GetObjectOptions)).content.toString();
const versioning = (status: "Enabled" | "Suspended") => client.putBucketVersioning(BUCKET, status);
const remove = (versionId?: string) => client.delete("key", (versionId === undefined ? {} : { versionId }) as OSS.RequestOptions);
const list = async () => {
  const { objects, deleteMarker } = await client.getBucketVersions({});
  return {
    objects: objects.map(({ versionId, isLatest }) => ({ versionId, isLatest })),
    markers: deleteMarker.map(({ versionId }) => versionId),
  };
};

test("a bucket without versions shows no version id", async () => {
  expect(await put("one")).toBeUndefined();
  expect(idOf(await client.head("key"))).toBeUndefined();
  expect(await client.getBucketVersioning(BUCKET)).toMatchObject({ versionStatus: undefined });
  await put("two");
  expect((await list()).objects).toEqual([{ versionId: "null", isLatest: true }]);
});

test("Enabled keeps every version and reads each", async () => {
  await put("before");
  await versioning("Enabled");
  const one = await put("one");
  const two = await put("two");
  expect(await read()).toBe("two");
  expect([await read(one), await read(two), await read("null")]).toEqual(["one", "two", "before"]);
  expect((await list()).objects).toEqual([
    { versionId: two, isLatest: true },
    { versionId: one, isLatest: false },
    { versionId: "null", isLatest: false },
  ]);
  expect(await refusal(read("CAEQ0000"))).toEqual({ status: 404, code: "NoSuchVersion" });
});

test("a delete creates a marker, and deleting the marker restores the object", async () => {
  await versioning("Enabled");
  const one = await put("one");
  const deleted = await remove();
  const marker = idOf(deleted);
  expect((deleted.res.headers as Record<string, string>)["x-oss-delete-marker"]).toBe("true");
  expect(await refusal(read())).toEqual({ status: 404, code: "NoSuchKey" });
  expect(await refusal(read(marker))).toEqual({ status: 405, code: "MethodNotAllowed" });
  expect(await read(one)).toBe("one");
  expect((await client.list({ "max-keys": 10 }, {})).objects).toEqual([]);
  expect(await list()).toEqual({ objects: [{ versionId: one, isLatest: false }], markers: [marker] });
  const again = await remove(marker);
  expect((again.res.headers as Record<string, string>)["x-oss-delete-marker"]).toBe("true");
  expect(await read()).toBe("one");
  await remove(one);
  expect(await list()).toEqual({ objects: [], markers: [] });
});

test("Suspended writes the null version over itself only", async () => {
  await versioning("Enabled");
  const one = await put("one");
  await versioning("Suspended");
  expect(await put("two")).toBe("null");
  expect(await put("three")).toBe("null");
  expect(await read()).toBe("three");
  expect(await read(one)).toBe("one");
  expect((await list()).objects).toHaveLength(2);
  expect(idOf(await remove())).toBe("null");
  expect(await list()).toEqual({ objects: [{ versionId: one, isLatest: false }], markers: ["null"] });
});

test("x-oss-forbid-overwrite applies only when versioning was never enabled", async () => {
  const forbid = () => client.put("key", Buffer.from("new"), { headers: { "x-oss-forbid-overwrite": "true" } });
  expect((await forbid()).res.status).toBe(200);
  expect(await refusal(forbid())).toEqual({ status: 409, code: "FileAlreadyExists" });
  await versioning("Enabled");
  expect((await forbid()).res.status).toBe(200);
  await versioning("Suspended");
  expect((await forbid()).res.status).toBe(200);
});

test("DeleteMultipleObjects deletes with and without version ids", async () => {
  await versioning("Enabled");
  const one = await put("one", "a&b<c>");
  await put("two", "other");
  const { deleted } = (await client.deleteMulti([{ key: "a&b<c>", versionId: one }, { key: "other" }] as never)) as unknown as {
    deleted: Record<string, string>[];
  };
  expect(deleted).toEqual([
    { Key: "a&b<c>", VersionId: one },
    { Key: "other", DeleteMarker: "true", DeleteMarkerVersionId: expect.stringMatching(/^CAEQ/) },
  ]);
  expect((await client.deleteMulti(["other"], { quiet: true })).deleted).toEqual([]);
  expect(await refusal(read(one, "a&b<c>"))).toEqual({ status: 404, code: "NoSuchVersion" });
});

test("tags belong to a version", async () => {
  await versioning("Enabled");
  const one = await put("one");
  await put("two");
  await client.putObjectTagging("key", { of: "one" }, { versionId: one } as never);
  expect((await client.getObjectTagging("key", { versionId: one } as never)).tag).toEqual({ of: "one" });
  expect((await client.getObjectTagging("key")).tag).toEqual({});
});

test("versions are listed page by page", async () => {
  await versioning("Enabled");
  for (const key of ["a", "b", "dir/x", "dir/y"]) for (const text of ["1", "2"]) await put(text, key);
  const seen: string[] = [];
  let query: Record<string, unknown> = { "max-keys": 3 };
  for (;;) {
    const page: ListedVersions = await client.getBucketVersions(query);
    seen.push(...page.objects.map(({ name }) => name));
    if (!page.isTruncated) break;
    query = { "max-keys": 3, keyMarker: page.nextKeyMarker, versionIdMarker: page.nextVersionIdMarker };
  }
  expect(seen).toEqual(["a", "a", "b", "b", "dir/x", "dir/x", "dir/y", "dir/y"]);
  const grouped = await client.getBucketVersions({ delimiter: "/" });
  expect(grouped.objects).toHaveLength(4);
  expect(grouped.prefixes).toEqual(["dir/"]);
});
