/** Keys, bytes, headers, metadata, tags and checksums arrive unchanged, by the receiver and by the copier. */
import { gzipSync } from "node:zlib";
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { genuineMetadata, readProvenance } from "../../runtime/replication/provenance";
import { inBatches } from "./support/batches";
import { leaveBegunCopy } from "./support/begun-copy";
import { eventually } from "./support/eventually";
import { type Attributes, converged, head, listKeys, put } from "./support/objects";
import { settled, takeDeadLetters } from "./support/queues";
import { putWithRawHeader } from "./support/raw-metadata";
import { START_MS, startTestStack, type TestStack, testOn } from "./support/stack";

/** The body of an object is its key with the path's name, or empty. */
const KEYS: readonly [description: string, key: string, empty?: "empty"][] = [
  ["a space", "a b"],
  ["a plus", "a+b"],
  ["a percent sequence", "a%20b"],
  ["a malformed percent sequence", "100%"],
  ["an empty segment", "a//b"],
  ["a folder marker", "dir/", "empty"],
  ["no bytes", "empty", "empty"],
  ["Chinese", "中文/文件.txt"],
  ["emoji", "🌏/👩‍👩‍👧🚀"],
  ["composed and decomposed accents", "caf\u00e9/cafe\u0301"],
  ["1,024 bytes", `${"long/".repeat(204)}1024`],
  ["spaces at both ends", " spaces at both ends "],
  ["single and double quotes", `it's "quoted"`],
  ["markup", "<a>&amp;</a>"],
  ["a leading slash", "/leading-slash"],
  ["a dot segment", "a/./b"],
  ["a dot-dot segment", "a/../b"],
  ["what has a meaning in a URL", "#?&=;:@$,!*()"],
  ["what a URL cannot hold", "\\{}^|~`[]"],
  ["a newline and a tab", "new\nline\ttab"],
];

const ATTRIBUTES: readonly [description: string, key: string, attributes: Attributes][] = [
  [
    "content headers",
    "attributes/headers.html",
    {
      ContentType: "text/html; charset=utf-8",
      CacheControl: "public, max-age=31536000, immutable",
      ContentDisposition: `attachment; filename="a b.html"; filename*=UTF-8''%E4%B8%AD.html`,
      ContentLanguage: "zh-Hans-CN, en",
      Expires: new Date("2031-01-02T03:04:05Z"),
    },
  ],
  ["a compressed body", "attributes/body.gz", { ContentType: "text/plain", ContentEncoding: "gzip" }],
  ["ASCII metadata", "attributes/ascii", { Metadata: { plain: "value", "with-dashes": "a=b; c, d", "x_under.score": "1" } }],
  ["RFC 2047 metadata", "attributes/2047", { Metadata: { title: "=?UTF-8?B?5Lit5paH?=", word: "=?UTF-8?Q?caf=C3=A9?=" } }],
  ["tags", "attributes/tags", { Tagging: "team=data&cost%20center=a%2Bb%3D1&empty=" }],
  ["tags beyond ASCII", "attributes/unicode-tags", { Tagging: `${encodeURIComponent("部门")}=${encodeURIComponent("研发 é")}` }],
];
const RAW_KEY = "attributes/raw-utf-8";
const RAW_TEXT = "中文 é";
const DISPOSITION_KEY = "attributes/raw-disposition";
const DISPOSITION = 'attachment; filename="报告 2024.pdf"';
const FULL_KEY = "attributes/full-metadata";
/** S3's 2 KB. */
const FULL = { big: "m".repeat(2045) };
const REDIRECT_KEY = "attributes/redirect.html";

const ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;

const PATHS = [
  { path: "receiver", inlineLimitBytes: 8_388_608 },
  { path: "copier", inlineLimitBytes: 0 },
] as const;
const DESTINATION = "crossborderbridge:destination";
/** Each copier is a process. */
const SIDE_BY_SIDE = { receiver: 16, copier: 6 } as const;
const ARRIVE_MS = 60_000;

let stack: TestStack | undefined;
const onStack = testOn(() => stack);

beforeAll(async () => {
  stack = await startTestStack();
}, START_MS);

afterAll(async () => {
  await stack?.stop();
});

describe.each(PATHS)("by the $path", ({ path, inlineLimitBytes }) => {
  const bodyOf = (key: string) => Buffer.from(`by the ${path}: ${key}`);
  const objects: { key: string; put(stack: TestStack): Promise<unknown> }[] = [
    ...KEYS.map(([, key, empty]) => ({
      key,
      put: ({ source }: TestStack) => put(source, key, empty ? Buffer.alloc(0) : bodyOf(key)),
    })),
    ...ATTRIBUTES.map(([, key, attributes]) => ({
      key,
      put: ({ source }: TestStack) =>
        put(source, key, attributes.ContentEncoding === "gzip" ? gzipSync(bodyOf(key)) : bodyOf(key), attributes),
    })),
    ...ALGORITHMS.map((algorithm) => ({
      key: `checksums/${algorithm}`,
      put: ({ source }: TestStack) => put(source, `checksums/${algorithm}`, bodyOf(algorithm), { ChecksumAlgorithm: algorithm }),
    })),
    {
      key: RAW_KEY,
      put: ({ source }) => putWithRawHeader(source, RAW_KEY, { header: "x-amz-meta-title", value: RAW_TEXT }, bodyOf(RAW_KEY)),
    },
    {
      key: DISPOSITION_KEY,
      put: ({ source }) =>
        putWithRawHeader(source, DISPOSITION_KEY, { header: "content-disposition", value: DISPOSITION }, bodyOf(DISPOSITION_KEY)),
    },
    { key: FULL_KEY, put: ({ source }) => put(source, FULL_KEY, bodyOf(FULL_KEY), { Metadata: FULL }) },
    {
      key: REDIRECT_KEY,
      put: ({ source }) => put(source, REDIRECT_KEY, bodyOf(REDIRECT_KEY), { WebsiteRedirectLocation: "/web/new.html" }),
    },
  ];

  beforeAll(async () => {
    const running = stack;
    if (running === undefined) return;
    if (running.local.settings["crossborderbridge:inlineLimitBytes"] !== inlineLimitBytes)
      await running.local.up({ "crossborderbridge:inlineLimitBytes": inlineLimitBytes });
    await inBatches(objects, SIDE_BY_SIDE[path], async (object) => {
      if (path === "copier") await leaveBegunCopy(running, object.key);
      await object.put(running);
      // The object's own test reports a failure.
      if (path === "copier" && object.key !== RAW_KEY) await converged(running, object.key, ARRIVE_MS).catch(() => undefined);
    });
  });

  describe("a key with", () => {
    for (const [description, key, empty] of KEYS) {
      onStack(description, async (running) => {
        const there = await converged(running, key, ARRIVE_MS);
        expect(there?.sizeBytes).toBe(empty ? 0 : bodyOf(key).length);
        expectMadeBy(path, await head(running.destination, key));
      });
    }
  });

  describe("an object with", () => {
    for (const [description, key] of ATTRIBUTES) {
      onStack(description, async (running) => {
        await converged(running, key, ARRIVE_MS);
        const [from, to] = [await head(running.source, key), await head(running.destination, key)];
        expectMadeBy(path, to);
        expect(readProvenance(genuineMetadata(to.Metadata ?? {}, key))).toMatchObject({
          bridgeId: "dev",
          sourceVersion: from.VersionId,
          sourceModified: from.LastModified?.toISOString(),
          origin: `aws:${running.source.bucket}`,
        });
      });
    }

    onStack("raw UTF-8 metadata", async (running) => {
      // One store returns the bytes and the other an RFC 2047 word, so the test compares the text.
      const arrived = async () => {
        const found = await head(running.destination, RAW_KEY);
        expectMadeBy(path, found);
        return found;
      };
      const found = await eventually(arrived, { deadlineMs: ARRIVE_MS, what: `${RAW_KEY} by the ${path}` });
      expect(found.Metadata?.title).toBe(`=?UTF-8?B?${Buffer.from(RAW_TEXT).toString("base64")}?=`);
    });

    onStack("raw UTF-8 in Content-Disposition", async (running) => {
      await converged(running, DISPOSITION_KEY, ARRIVE_MS);
      const found = await head(running.destination, DISPOSITION_KEY);
      expectMadeBy(path, found);
      expect(found.ContentDisposition).toBe(Buffer.from(DISPOSITION).toString("latin1"));
    });

    onStack("all the metadata that S3 holds", async (running) => {
      await converged(running, FULL_KEY, ARRIVE_MS);
      const found = await head(running.destination, FULL_KEY);
      expectMadeBy(path, found);
      expect(found.Metadata).toEqual(FULL);
    });

    onStack("the redirect of a website", async (running) => {
      await converged(running, REDIRECT_KEY, ARRIVE_MS);
      const found = await head(running.destination, REDIRECT_KEY);
      expectMadeBy(path, found);
      expect(found.WebsiteRedirectLocation).toBe("/web/new.html");
    });

    for (const algorithm of ALGORITHMS) {
      onStack(`a ${algorithm} checksum`, async (running) => {
        const key = `checksums/${algorithm}`;
        await converged(running, key, ARRIVE_MS);
        const [from, to] = [await head(running.source, key), await head(running.destination, key)];
        expectMadeBy(path, to);
        expect(from[`Checksum${algorithm}`]).toBeDefined();
        // The local S3 keeps no checksum of a whole multipart object. The bytes are already compared.
        if (path === "copier") return;
        expect(to.ChecksumType).toBe("FULL_OBJECT");
        expect(to[`Checksum${algorithm}`]).toBe(from[`Checksum${algorithm}`]);
      });
    }
  });

  onStack("the queue is empty, and nothing is parked", async (running) => {
    await settled(running);
    expect(await takeDeadLetters(running)).toEqual([]);
  });
});

describe("with a scope, and with a prefix and a storage class at the destination", () => {
  const prefix = "from global/";
  const go = { Tagging: "go=yes&more=1" };
  const inScope: readonly [path: string, key: string, body: string][] = [
    ["receiver", "in/small.dat", "12345"],
    ["copier", "also in/large.txt", "123456"],
  ];
  const outOfScope: readonly [key: string, body: string, attributes: Attributes][] = [
    ["other/prefix.dat", "12", go],
    ["in/suffix.bin", "12", go],
    ["in/no-tag.dat", "12", {}],
    ["in/other-tag.dat", "12", { Tagging: "go=no" }],
    ["in/too-small.dat", "1", go],
    ["in/too-large.dat", "12345678901", go],
    [".crossborderbridge/in/reserved.dat", "12", go],
  ];

  beforeAll(async () => {
    if (stack === undefined) return;
    const { local, source } = stack;
    await local.up({
      "crossborderbridge:inlineLimitBytes": 5,
      "crossborderbridge:destination": { ...(local.settings[DESTINATION] as object), prefix, storageClass: "STANDARD_IA" },
      "crossborderbridge:scope": {
        prefixes: ["in/", "also in/"],
        suffixes: [".dat", ".txt"],
        tags: { go: "yes" },
        minSizeBytes: 2,
        maxSizeBytes: 10,
      },
    });
    for (const [path, key] of inScope)
      if (path === "copier") await leaveBegunCopy({ ...stack, destination: { ...stack.destination, prefix } }, key);
    for (const [key, body, attributes] of outOfScope) await put(source, key, body, attributes);
    for (const [, key, body] of inScope) await put(source, key, body, go);
  });

  for (const [path, key] of inScope) {
    onStack(`the ${path} puts objects there`, async (running) => {
      const moved = { ...running, destination: { ...running.destination, prefix } };
      await converged(moved, key, ARRIVE_MS);
      const arrived = await head(moved.destination, key);
      expectMadeBy(path, arrived);
      expect(arrived.StorageClass).toBe("STANDARD_IA");
    });
  }

  onStack("nothing out of scope arrives", async (running) => {
    await settled(running);
    expect(await takeDeadLetters(running)).toEqual([]);
    const arrived = (await listKeys(running.destination)).filter((key) => /in\/|other/.test(key));
    expect(arrived.sort()).toEqual(inScope.map(([, key]) => prefix + key).sort());
  });
});

/** A multipart ETag ends in the number of parts. */
function expectMadeBy(path: string, { ETag, ContentLength }: HeadObjectCommandOutput): void {
  if (path === "copier" && ContentLength !== 0) expect(ETag).toMatch(/-1"$/);
  else expect(ETag).not.toMatch(/-/);
}
