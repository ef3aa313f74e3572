import { restoreStateOf } from "../../src/oss/attributes";
import { type Client, type OssFixture, startFixture } from "./oss-fixture";
import { sendSigned } from "./raw-request";

const BUCKET = "restore-of-tests";
const RESTORE_MS = 60_000;
/** How far the server's clock is ahead. OSS accepts a quarter of an hour. */
let aheadMs = 0;
let fixture: OssFixture;
let client: Client;
beforeAll(async () => {
  fixture = await startFixture({ now: () => Date.now() + aheadMs, restoreMs: RESTORE_MS });
  client = await fixture.bucket(BUCKET);
});
afterAll(() => fixture.stop());

const put = (key: string, storageClass: string) =>
  client.put(key, Buffer.from("frozen"), { headers: { "x-oss-storage-class": storageClass } });
const get = (key: string) => sendSigned(fixture, { method: "GET" }, { bucket: BUCKET, key });
const restore = (key: string, body = "") =>
  sendSigned(fixture, { method: "POST", body }, { bucket: BUCKET, key, queries: { restore: "" } });
const stateOf = async (key: string) => ((await client.head(key)).res.headers as Record<string, string>)["x-oss-restore"];

test.each(["Archive", "ColdArchive", "DeepColdArchive"])(
  "an object of class %s is read after its restore",
  async (storageClass) => {
    await put("frozen", storageClass);
    expect(await stateOf("frozen")).toBeUndefined();
    expect(await get("frozen")).toMatchObject({ status: 403, code: "InvalidObjectState" });
    const accepted = await restore("frozen");
    expect(accepted.status).toBe(202);
    expect(accepted.headers["x-oss-object-restore-priority"]).toBe(storageClass === "Archive" ? undefined : "Standard");
    expect(await stateOf("frozen")).toBe('ongoing-request="true"');
    expect(await get("frozen")).toMatchObject({ status: 403, code: "InvalidObjectState" });
    expect(await restore("frozen")).toMatchObject({ status: 409, code: "RestoreAlreadyInProgress" });
    aheadMs += RESTORE_MS;
    expect(await stateOf("frozen")).toMatch(/^ongoing-request="false", expiry-date="\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT"$/);
    expect((await get("frozen")).body.toString()).toBe("frozen");
    expect(await restore("frozen")).toMatchObject({ status: 200 });
  },
);

test("the tier of a restore is answered", async () => {
  await put("tiered", "ColdArchive");
  const body = "<RestoreRequest><Days>1</Days><JobParameters><Tier>Expedited</Tier></JobParameters></RestoreRequest>";
  expect(await restore("tiered", body)).toMatchObject({ status: 202, headers: { "x-oss-object-restore-priority": "Expedited" } });
});

test("a restored object is archived again at once by CleanRestoredObject", async () => {
  const clean = () =>
    sendSigned(fixture, { method: "POST" }, { bucket: BUCKET, key: "clean", queries: { cleanRestoredObject: "" } });
  await put("clean", "ColdArchive");
  expect(await clean()).toMatchObject({ status: 409, code: "ArchiveRestoreFileStale" });
  await restore("clean");
  expect(await clean()).toMatchObject({ status: 409, code: "ArchiveRestoreNotFinished" });
  aheadMs += RESTORE_MS;
  expect((await get("clean")).status).toBe(200);
  expect((await clean()).status).toBe(200);
  expect(await get("clean")).toMatchObject({ status: 403, code: "InvalidObjectState" });
  expect(await clean()).toMatchObject({ status: 409, code: "ArchiveRestoreFileStale" });
});

test("an archived object is copied after its restore only", async () => {
  await put("source", "Archive");
  const copy = () =>
    sendSigned(
      fixture,
      { method: "PUT", headers: { "x-oss-copy-source": `/${BUCKET}/source` } },
      { bucket: BUCKET, key: "copy" },
    );
  expect(await copy()).toMatchObject({ status: 403, code: "InvalidObjectState" });
  await restore("source");
  aheadMs += RESTORE_MS;
  expect(await copy()).toMatchObject({ status: 200 });
});

test("a link to an archived object is read after the restore of its target", async () => {
  await put("target", "ColdArchive");
  await client.putSymlink("link", "target", {} as never);
  expect(await get("link")).toMatchObject({ status: 403, code: "InvalidObjectState" });
  await restore("target");
  aheadMs += RESTORE_MS;
  expect((await get("link")).body.toString()).toBe("frozen");
  expect(await stateOf("link")).toBeUndefined();
});

test("an object that is written again is archived again", async () => {
  await put("again", "Archive");
  await restore("again");
  aheadMs += RESTORE_MS;
  await put("again", "Archive");
  expect(await stateOf("again")).toBeUndefined();
});

test.each([
  ["an object that is not archived", "warm", "Standard", "", 400, "OperationNotSupported"],
  ["days that are no number", "a", "ColdArchive", "<RestoreRequest><Days>x</Days></RestoreRequest>", 400, "MalformedXML"],
  ["more than a year", "a", "ColdArchive", "<RestoreRequest><Days>366</Days></RestoreRequest>", 400, "MalformedXML"],
  [
    "a tier that does not exist",
    "a",
    "ColdArchive",
    "<RestoreRequest><Days>1</Days><JobParameters><Tier>Now</Tier></JobParameters></RestoreRequest>",
    400,
    "InvalidArgument",
  ],
])("the restore of %s is refused", async (_what, key, storageClass, body, status, code) => {
  await put(key, storageClass);
  expect(await restore(key, body)).toMatchObject({ status, code });
});

test("the restore of a missing key is refused", async () => {
  expect(await restore("nothing")).toMatchObject({ status: 404, code: "NoSuchKey" });
});

test("a restored object is archived again after its days", () => {
  const restored = { restore: { readableFrom: 10, readableUntil: 20 } };
  expect([9, 10, 19, 20].map((now) => restoreStateOf(restored, now))).toEqual(["ongoing", "done", "done", "none"]);
  expect(restoreStateOf({}, 15)).toBe("none");
});
