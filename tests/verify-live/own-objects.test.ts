/** The clean-up deletes what is under its prefix, and stops before anything else. */
import { parseXml, type XmlElement } from "../../runtime/http/xml";
import type { ObjectStore } from "../../runtime/stores/object-store";
import { contentsUnder, deleteUnder, type ListPage } from "../../verify-live/own-objects";

const PREFIX = "crossborderbridge-verify/20261130-abcdef/";
const signal = new AbortController().signal;

const EMPTY = "<ListMultipartUploadsResult></ListMultipartUploadsResult>";
const xml = (text: string): XmlElement => {
  const root = parseXml(text);
  if (root === undefined) throw new Error("no XML");
  return root;
};

interface Bucket {
  versions: { key: string; id: string; isMarker?: true }[];
  uploads: { key: string; id: string }[];
}

/** Lists at most two versions a page, as a store lists a thousand. */
const lister =
  (bucket: Bucket): ListPage =>
  async (listing) => {
    const key = (text: string) => encodeURIComponent(text);
    if (listing === "uploads") {
      const uploads = bucket.uploads.map((one) => `<Upload><Key>${key(one.key)}</Key><UploadId>${one.id}</UploadId></Upload>`);
      return xml(`<ListMultipartUploadsResult><EncodingType>url</EncodingType>${uploads.join("")}</ListMultipartUploadsResult>`);
    }
    const versions = bucket.versions.slice(0, 2).map((one) => {
      const name = one.isMarker ? "DeleteMarker" : "Version";
      return `<${name}><Key>${key(one.key)}</Key><VersionId>${one.id}</VersionId></${name}>`;
    });
    return xml(`<ListVersionsResult><EncodingType>url</EncodingType>${versions.join("")}</ListVersionsResult>`);
  };

function sideOf(bucket: Bucket) {
  const steps: string[] = [];
  const store: Pick<ObjectStore, "delete" | "abortUpload"> = {
    async delete(key, { versionId } = {}) {
      steps.push(`delete ${key} ${versionId}`);
      bucket.versions = bucket.versions.filter((one) => one.key !== key || one.id !== versionId);
    },
    async abortUpload(key, uploadId) {
      steps.push(`abort ${key} ${uploadId}`);
      bucket.uploads = bucket.uploads.filter(({ id }) => id !== uploadId);
    },
  };
  return { steps, side: { store, bucket: "tested" } as unknown as Parameters<typeof deleteUnder>[0] };
}

test("uploads, versions and delete markers are deleted one by one, page after page, whatever is in their keys", async () => {
  const bucket: Bucket = {
    versions: [
      { key: `${PREFIX}a b+c%`, id: "1" },
      { key: `${PREFIX}a b+c%`, id: "2", isMarker: true },
      { key: `${PREFIX}中文`, id: "3" },
    ],
    uploads: [{ key: `${PREFIX}large`, id: "u" }],
  };
  const { steps, side } = sideOf(bucket);
  expect(await deleteUnder(side, PREFIX, signal, lister(bucket))).toBe(4);
  expect(steps[0]).toBe(`abort ${PREFIX}large u`);
  expect(steps.slice(1).sort()).toEqual(
    [`delete ${PREFIX}a b+c% 1`, `delete ${PREFIX}a b+c% 2`, `delete ${PREFIX}中文 3`].sort(),
  );
});

test.each([
  ["a version", { versions: [{ key: "somebody-elses", id: "1" }], uploads: [] }],
  ["an upload", { versions: [], uploads: [{ key: "somebody-elses", id: "u" }] }],
  ["a key that only looks alike", { versions: [{ key: PREFIX.slice(0, -1), id: "1" }], uploads: [] }],
])("%s outside the prefix ends the clean-up before it deletes anything", async (_, bucket: Bucket) => {
  const own = { key: `${PREFIX}own`, id: "0" };
  bucket.versions.unshift(own);
  const { steps, side } = sideOf(bucket);
  await expect(deleteUnder(side, PREFIX, signal, lister(bucket))).rejects.toThrow(
    /names ".*", which is not under it: the clean-up stops/,
  );
  expect(steps).toEqual([]);
});

test("a bucket that keeps no versions lists its objects with the version null", async () => {
  const list: ListPage = async (listing) =>
    xml(listing === "versions" ? `<ListVersionsResult><Version><Key>${PREFIX}x</Key></Version></ListVersionsResult>` : EMPTY);
  expect(await contentsUnder(list, PREFIX, signal)).toEqual({
    versions: [{ key: `${PREFIX}x`, versionId: "null" }],
    uploads: [],
  });
});

test("a store that does not encode the keys of its listing is believed", async () => {
  const list: ListPage = async (listing) =>
    xml(
      listing === "versions"
        ? `<ListVersionsResult><Version><Key>${PREFIX}100%</Key><VersionId>1</VersionId></Version></ListVersionsResult>`
        : EMPTY,
    );
  expect((await contentsUnder(list, PREFIX, signal)).versions).toEqual([{ key: `${PREFIX}100%`, versionId: "1" }]);
});

test("a page of a proxy does not pass for an empty bucket", async () => {
  const { side, steps } = sideOf({ versions: [], uploads: [] });
  await expect(deleteUnder(side, PREFIX, signal, async () => xml("<html></html>"))).rejects.toThrow("is no listing but html");
  expect(steps).toEqual([]);
});
