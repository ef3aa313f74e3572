import { controlBucketName } from "../../../components/alicloud/names";
import { parseBridgeConfig } from "../../../components/config";
import type { BucketContents } from "../../../operator/bucket-contents";
import type { CommandContext } from "../../../operator/command";
import { bucketsToEmpty, controlBucketOf, type EmptyDeps, empty } from "../../../operator/empty/empty";
import type { SideAccess } from "../../../operator/operated-bridge";
import { BridgeError } from "../../../runtime/stores/errors";
import { bridge, native, push, type Raw, s3 } from "../../components/config/fixture";

const DELETED = { retainBuckets: false, forceDestroy: true };
const OUTPUTS = { sourceBucket: "from-here", destinationBucket: "to-there" };
const found = (raw: Raw) => {
  const { token: _, ...config } = parseBridgeConfig(JSON.parse(JSON.stringify(raw)) as Raw, { stack: "dev" });
  return { config, outputs: OUTPUTS };
};
const namesOf = (raw: Raw) => bucketsToEmpty(found(raw)).map(({ side, name }) => `${side} ${name}`);

describe("the buckets", () => {
  test.each<[string, Raw, string[]]>([
    ["both that the bridge created", s3(DELETED), ["source from-here", "destination to-there"]],
    ["only the created one", s3({ ...DELETED, source: { adopt: true } }), ["destination to-there"]],
    [
      "push: the leases as well",
      push(DELETED),
      ["source from-here", "destination to-there", "source from-here-dev-bridge-control"],
    ],
    ["the leases alone, where the others are kept", push(), ["source from-here-dev-bridge-control"]],
    [
      "pull to OSS: the leases are at the destination",
      bridge({ ...DELETED, to: "alicloud", source: { adopt: true } }),
      ["destination to-there", "destination to-there-dev-bridge-control"],
    ],
    ["native OSS has no leases", native(DELETED), ["source from-here", "destination to-there"]],
  ])("%s", (_, raw, expected) => {
    expect(namesOf(raw)).toEqual(expected);
  });

  test.each<[string, Raw, RegExp]>([
    ["that a destroy keeps", s3(), /retainBuckets is true: a destroy keeps from-here and to-there; .* set retainBuckets: false/],
    ["that are adopted", s3({ source: { adopt: true }, destination: { adopt: true } }), /both buckets are adopted/],
    [
      "whose replicas would be deleted with them",
      bridge({ ...DELETED, deletes: "replicate", destination: { adopt: true } }),
      /the bridge would delete the replicas in to-there too; set deletes: ignore/,
    ],
  ])("%s are refused", (_, raw, problem) => {
    expect(() => namesOf(raw)).toThrow(problem);
  });

  test.each(["short", "b".repeat(63)])("the bucket of the leases has the name that the components give it: %s", (bucket) => {
    expect(controlBucketOf(bucket, "dev")).toBe(controlBucketName(bucket, "dev"));
  });
});

interface Bucket {
  uploads: number;
  versions: number;
  /** Keys that cannot be deleted. */
  locked?: string[];
  /** Keys that stay although the store says that it deleted them. */
  kept?: string[];
}

/** A bucket whose pages hold two entries. */
function contentsOf(bucket: Bucket, log: string[]): BucketContents {
  const uploads = Array.from({ length: bucket.uploads }, (_, index) => ({ key: `u${index}`, uploadId: "1" }));
  let versions = Array.from({ length: bucket.versions }, (_, index) => ({ key: `k${index}`, versionId: "1" }));
  return {
    uploads: async () => uploads.slice(0, 2),
    async abort({ key }) {
      log.push(`abort ${key}`);
      uploads.splice(
        uploads.findIndex((one) => one.key === key),
        1,
      );
    },
    versions: async () => versions.slice(0, 2),
    async remove(page) {
      const refused = page.filter(({ key }) => bucket.locked?.includes(key));
      if (log.length > 100) throw new Error("it goes on for ever");
      versions = versions.filter((one) => !page.includes(one) || refused.includes(one) || bucket.kept?.includes(one.key));
      log.push(`delete ${page.length - refused.length}`);
      return refused.map(({ key }) => ({ key, reason: "AccessDenied: a lock" }));
    },
    close: async () => void log.push("close"),
  };
}

async function run(
  raw: Raw,
  buckets: Record<string, Bucket>,
  more: { yes?: true; deps?: Partial<EmptyDeps>; json?: boolean } = {},
) {
  const log: string[] = [];
  const printed: string[] = [];
  const noted: string[] = [];
  const context = {
    bridge: found(raw),
    access: { source: {} as SideAccess, destination: {} as SideAccess },
    local: false,
    json: more.json ?? false,
    signal: new AbortController().signal,
    print: (text: string) => void printed.push(text),
    note: (text: string) => void noted.push(text),
  } as unknown as CommandContext;
  const deps: EmptyDeps = {
    interactive: true,
    confirm: () => Promise.reject(new Error("this test expects no question")),
    open: async (_access, { name }) => contentsOf(buckets[name] ?? { uploads: 0, versions: 0 }, log),
    ...more.deps,
  };
  const work = empty(context, { stack: "dev", ...(more.yes === undefined ? {} : { yes: more.yes }) }, deps);
  return { exitCode: await work.catch((error: Error) => error.message), log, printed, noted };
}

describe("the command", () => {
  test("aborts the uploads before it deletes the versions, in every bucket", async () => {
    const { exitCode, log, printed } = await run(
      s3(DELETED),
      { "from-here": { uploads: 3, versions: 3 }, "to-there": { uploads: 0, versions: 1 } },
      { yes: true },
    );
    expect(exitCode).toBe(0);
    expect(log).toEqual(["abort u0", "abort u1", "abort u2", "delete 2", "delete 1", "close", "delete 1", "close"]);
    expect(printed).toEqual([
      "the source bucket from-here (aws, us-east-1): deleted 3 versions and delete markers, aborted 3 unfinished uploads",
      "the destination bucket to-there (aws, eu-west-1): deleted 1 version or delete marker, aborted 0 unfinished uploads",
    ]);
  });

  test("asks first, and names what it would delete", async () => {
    const confirm = jest.fn(async () => false);
    const { exitCode, log, noted } = await run(s3(DELETED), {}, { deps: { confirm } });
    expect(confirm).toHaveBeenCalledWith(
      "Delete everything in the source bucket from-here (aws, us-east-1) and the destination bucket to-there (aws, eu-west-1), for ever?",
      expect.anything(),
    );
    expect({ exitCode, log, noted }).toEqual({ exitCode: 1, log: [], noted: ["nothing was done"] });
  });

  test("goes on past versions that are locked, and ends with their reason", async () => {
    const { exitCode, log, noted } = await run(
      s3(DELETED),
      { "from-here": { uploads: 0, versions: 3, locked: ["k0"] } },
      { yes: true },
    );
    expect(exitCode).toBe("the source bucket from-here (aws, us-east-1): k0 cannot be deleted: AccessDenied: a lock");
    expect(log).toEqual(["delete 1", "delete 1", "delete 0", "close"]);
    expect(noted).toEqual(["run the same command again to go on"]);
  });

  test("ends at a version that the store keeps, although it says that it deleted it", async () => {
    const { exitCode, log } = await run(s3(DELETED), { "from-here": { uploads: 0, versions: 3, kept: ["k0"] } }, { yes: true });
    expect(exitCode).toBe(
      "the source bucket from-here (aws, us-east-1): the version 1 of k0 is still there after 3 deletes: a retention policy keeps it, or something writes it again",
    );
    expect(log).toEqual(["delete 2", "delete 2", "delete 1", "close"]);
  });

  test("reaches each bucket of OSS by its own domain, and says what to do about the leases, which have none", async () => {
    const opened: object[] = [];
    const refused = new BridgeError("HostRefused", "listUploads", "PublicEndpointForbidden: set customDomain of this side");
    const { exitCode } = await run(
      push({ ...DELETED, source: { customDomain: "from.example.com" } }),
      {},
      {
        yes: true,
        deps: {
          open: async (_access, { name, customDomain }) => {
            opened.push([name, customDomain]);
            const contents = contentsOf({ uploads: 0, versions: 0 }, []);
            return name.endsWith("-control") ? { ...contents, uploads: () => Promise.reject(refused) } : contents;
          },
        },
      },
    );
    expect(opened).toEqual([
      ["from-here", "from.example.com"],
      ["to-there", undefined],
      ["from-here-dev-bridge-control", undefined],
    ]);
    expect(exitCode).toMatch(/from-here-dev-bridge-control .* has no domain: wait until OSS has deleted the lease logs/);
  });

  test("prints JSON", async () => {
    const { printed } = await run(s3(DELETED), { "from-here": { uploads: 1, versions: 0 } }, { yes: true, json: true });
    expect(JSON.parse(printed.join("\n"))).toMatchObject({
      buckets: [
        { side: "source", name: "from-here", uploads: 1, versions: 0 },
        { side: "destination", name: "to-there", uploads: 0, versions: 0 },
      ],
    });
  });
});
