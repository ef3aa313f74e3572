import { checksumOf } from "../../../../runtime/stores/checksums";
import { readAll } from "../../../../runtime/stores/read-all";
import { expectKind, textBytes } from "../../../conformance/object-store/context";
import { crcHeader, fakeServer, HEAD, ossStore, status } from "../fake-server";

const oss = fakeServer();

const BYTES = textBytes("hello");

test("head returns checksum and version, and undefined where there is no object", async () => {
  oss.answer(status(200, { ...HEAD, "content-length": "5", ...crcHeader(BYTES), "x-oss-version-id": "V1", "x-oss-meta-a": "1" }));
  expect(await ossStore(oss).head("k")).toMatchObject({
    sizeBytes: 5,
    versionId: "V1",
    metadata: { a: "1" },
    checksums: [checksumOf("CRC64XZ", BYTES)],
  });
  const hidden = (code: string) => ({ "x-oss-err": Buffer.from(`<Error><Code>${code}</Code></Error>`).toString("base64") });
  oss.answer(status(404, hidden("NoSuchKey")), status(404), status(404, hidden("NoSuchBucket")));
  expect(await ossStore(oss).head("k")).toBeUndefined();
  expect(await ossStore(oss).head("k")).toBeUndefined();
  await expectKind(ossStore(oss).head("k"), "NoSuchBucket");
});

describe("a forced download", () => {
  const FORCED = { "x-oss-force-download": "true", "content-disposition": "attachment", "content-type": "text/html" };

  test("hides the object's own Content-Disposition, in the answers to HEAD and to GET", async () => {
    oss.answer(status(200, { ...HEAD, ...FORCED }), status(200, { ...HEAD, ...FORCED }));
    const head = await ossStore(oss).head("k");
    const { head: ofGet, body } = await ossStore(oss).get("k");
    body.destroy();
    for (const found of [head, ofGet])
      expect(found).toMatchObject({ headers: { contentType: "text/html" }, hiddenHeaders: ["contentDisposition"] });
    expect(head?.headers).not.toHaveProperty("contentDisposition");
  });

  test.each<[string, Record<string, string>]>([
    ["without the header, the value is the object's", { "content-disposition": "attachment" }],
    ["a value that OSS does not add is the object's", { ...FORCED, "content-disposition": 'attachment; filename="a.html"' }],
    ["a download that is not forced", { ...FORCED, "x-oss-force-download": "false" }],
  ])("%s", async (_what, headers) => {
    oss.answer(status(200, { ...HEAD, ...headers }));
    const head = await ossStore(oss).head("k");
    expect(head?.headers.contentDisposition).toBe(headers["content-disposition"]);
    expect(head).not.toHaveProperty("hiddenHeaders");
  });
});

const RESTORED = 'ongoing-request="false", expiry-date="Sun, 16 Apr 2017 08:12:33 GMT"';

test.each<[string, Record<string, string>, unknown]>([
  ["Standard", {}, undefined],
  // The bucket may allow direct reads of this class: only the read tells.
  ["Archive", {}, undefined],
  ["Archive", { "x-oss-restore": 'ongoing-request="true"' }, { storageClass: "Archive", restore: "ongoing" }],
  ["ColdArchive", {}, { storageClass: "ColdArchive", restore: "none" }],
  ["ColdArchive", { "x-oss-restore": RESTORED }, { storageClass: "ColdArchive", restore: "done" }],
  ["DeepColdArchive", { "x-oss-restore": 'ongoing-request="true"' }, { storageClass: "DeepColdArchive", restore: "ongoing" }],
  // The class is the target's, and the header of a restore is the link's.
  ["ColdArchive", { "x-oss-object-type": "Symlink" }, undefined],
])("head of an object of class %s with %j", async (storageClass, headers, archive) => {
  oss.answer(status(200, { ...HEAD, "x-oss-storage-class": storageClass, ...headers }));
  expect((await ossStore(oss).head("k"))?.archive).toEqual(archive);
});

test("a symbolic link: the checksum in its headers is not the target's, and is not used", async () => {
  const link = { ...HEAD, "x-oss-object-type": "Symlink", ...crcHeader(textBytes("of the link")), "content-length": "5" };
  oss.answer(status(200, link), status(200, link, "hello"));
  expect((await ossStore(oss).head("k"))?.checksums).toEqual([]);
  const { body } = await ossStore(oss).get("k");
  expect(String(await readAll(body, 100))).toBe("hello");
});

test.each([
  [404, "SymlinkTargetNotExist", /the target of the symbolic link does not exist/],
  [400, "InvalidTargetType", /leads to another symbolic link/],
])("a link that leads nowhere (%i %s) is there, and cannot be read", async (httpStatus, code, reason) => {
  oss.answer(status(httpStatus, { "x-oss-err": Buffer.from(`<Error><Code>${code}</Code></Error>`).toString("base64") }));
  await expect(ossStore(oss).head("k")).rejects.toMatchObject({ kind: "Invalid", message: expect.stringMatching(reason) });
});
