import type OSS from "ali-oss";
import fc from "fast-check";
import { listPage } from "../../src/oss/operations/list-objects";
import { compareKeys, SortedKeys } from "../../src/oss/store/sorted-keys";
import { type Client, type OssFixture, refusal, startFixture } from "./oss-fixture";
import { sendSigned } from "./raw-request";

const KEYS = ["a", "b/1", "b/2", "b/c/3", "c", "d/", "é", "\u{ff5e}", "🚀"];
let fixture: OssFixture;
let client: Client;
beforeAll(async () => {
  fixture = await startFixture();
  client = await fixture.bucket("listing-of-tests");
  for (const key of [...KEYS].reverse()) await client.put(key, Buffer.from(key));
});
afterAll(() => fixture.stop());

const names = ({ objects }: { objects: { name: string }[] }) => objects.map(({ name }) => name);

describe.each([true, false])("signed with V4: %s", (authorizationV4) => {
  let signed: Client;
  beforeAll(() => {
    signed = fixture.client({ bucket: "listing-of-tests", authorizationV4 } as Partial<OSS.Options>);
  });
  const v1 = (query: object) => signed.list(query as OSS.ListObjectsQuery, {});
  const v2 = (query: object) => signed.listV2(query as OSS.ListV2ObjectsQuery, {});

  test("version 1: in the order of UTF-8, page by page", async () => {
    expect(names(await v1({ "max-keys": 100 }))).toEqual(KEYS);
    const first = await v1({ "max-keys": 4 });
    expect(first).toMatchObject({ isTruncated: true, nextMarker: "b/c/3" });
    expect(names(first)).toEqual(KEYS.slice(0, 4));
    const rest = await v1({ "max-keys": 100, marker: first.nextMarker });
    expect(names(rest)).toEqual(KEYS.slice(4));
    expect(rest.isTruncated).toBe(false);
  });

  test("version 1: by prefix and delimiter", async () => {
    const top = await v1({ delimiter: "/" });
    expect([names(top), top.prefixes]).toEqual([
      ["a", "c", "é", "\u{ff5e}", "🚀"],
      ["b/", "d/"],
    ]);
    const inner = await v1({ prefix: "b/", delimiter: "/" });
    expect([names(inner), inner.prefixes]).toEqual([["b/1", "b/2"], ["b/c/"]]);
    const after = await v1({ delimiter: "/", marker: "b/", "max-keys": 2 });
    expect([names(after), after.prefixes]).toEqual([["c"], ["d/"]]);
  });

  test("version 2: with tokens", async () => {
    const first = (await v2({ "max-keys": 3 })) as unknown as {
      objects: { name: string }[];
      nextContinuationToken: string;
      keyCount: number;
    };
    expect([names(first), first.keyCount]).toEqual([KEYS.slice(0, 3), 3]);
    const rest = await v2({ "continuation-token": first.nextContinuationToken });
    expect(names(rest as never)).toEqual(KEYS.slice(3));
    expect(names((await v2({ "start-after": "b/2" })) as never)).toEqual(KEYS.slice(3));
    expect(await refusal(v2({ "continuation-token": "not one" }))).toEqual({ status: 400, code: "InvalidArgument" });
  });

  test("describe the listed objects", async () => {
    const [first] = (await v1({ "max-keys": 1 })).objects;
    expect(first).toMatchObject({
      size: 1,
      etag: '"0CC175B9C0F1B6A831C399E269772661"',
      type: "Normal",
      storageClass: "Standard",
      owner: { id: "1234567890123456" },
    });
    const withOwner = (await v2({ "fetch-owner": true, "max-keys": 1 })) as unknown as { objects: { owner: object | null }[] };
    expect(withOwner.objects[0]?.owner).toEqual({ id: "1234567890123456", displayName: "1234567890123456" });
  });

  test.each([{ "max-keys": 0 }, { "max-keys": 1001 }, { "max-keys": "x" }, { "encoding-type": "base64" }])(
    "%j is refused",
    async (query) => {
      expect(await refusal(v1(query))).toEqual({ status: 400, code: "InvalidArgument" });
    },
  );
});

test("an empty continuation token stands for none, so that start-after counts", async () => {
  const answer = await sendSigned(
    fixture,
    { method: "GET" },
    { bucket: "listing-of-tests", queries: { "list-type": "2", "start-after": "b/2", "continuation-token": "" } },
  );
  const text = answer.body.toString();
  expect([...text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key)).toEqual(KEYS.slice(3));
  expect(text).not.toContain("<ContinuationToken>");
  // OSS writes whole seconds with three zeros.
  expect([...text.matchAll(/<LastModified>(.*?)<\/LastModified>/g)].map(([, time]) => time?.slice(-5))).toEqual(
    KEYS.slice(3).map(() => ".000Z"),
  );
});

test("encoding-type=url percent-encodes names", async () => {
  const answer = await sendSigned(
    fixture,
    { method: "GET" },
    { bucket: "listing-of-tests", queries: { "encoding-type": "url", prefix: "🚀" } },
  );
  expect(answer.body.toString()).toContain("<Key>%F0%9F%9A%80</Key>");
});

test("a missing bucket is refused", async () => {
  expect(await refusal(fixture.client({ bucket: "not-there-at-all" }).list({ "max-keys": 1 }, {}))).toEqual({
    status: 404,
    code: "NoSuchBucket",
  });
});

test("all pages together are the complete listing, for any keys, prefix, delimiter and page size", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "b", "/", "é", "🚀"), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { maxLength: 30 }),
      fc.constantFrom("", "a", "a/", "/"),
      fc.constantFrom("", "/", "b"),
      fc.integer({ min: 1, max: 4 }),
      (keys, prefix, delimiter, limit) => {
        const object = { versionId: "null" };
        const bucket = { keys: { sorted: new SortedKeys(keys), versions: () => [object] } } as never;
        const expected = new Set<string>();
        for (const key of [...keys].sort(compareKeys)) {
          if (!key.startsWith(prefix)) continue;
          const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
          expected.add(cut === -1 ? key : key.slice(0, cut + delimiter.length));
        }
        const seen: string[] = [];
        for (let after = ""; ; ) {
          const page = listPage(bucket, { prefix, delimiter, after, limit });
          const merged = [...page.objects.map(({ key }) => key), ...page.prefixes].sort(compareKeys);
          expect(merged.length).toBeLessThanOrEqual(limit);
          seen.push(...merged);
          if (!page.truncated) break;
          after = page.last;
        }
        expect(seen).toEqual([...expected].sort(compareKeys));
      },
    ),
  );
});
