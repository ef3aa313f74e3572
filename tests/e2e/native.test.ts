/** S3's own replication as the examples declare it, two-way and one-way, from the first `pulumi up` to `pulumi destroy`. */
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { arrives, history, type NativeStack, rulesOf, settled, startNativeStack, statusOf } from "./support/native";
import { GONE, leftovers } from "./support/native-leftovers";
import { oneWayTests } from "./support/native-one-way";
import { head, look, put, remove } from "./support/objects";
import { START_MS, started, UP_MS } from "./support/stack";

let clouds: LocalClouds;

beforeAll(async () => {
  clouds = await startLocalClouds({ clouds: ["aws", "aws-cn"] });
}, START_MS);

afterAll(() => clouds?.stop());

describe("two buckets that replicate to each other", () => {
  const REGIONS = ["us-east-1", "eu-west-1"];
  let stack: NativeStack | undefined;
  /** Number of resources of the first `pulumi up`. */
  let resources = 0;
  const running = (): NativeStack => started(stack);

  beforeAll(async () => {
    stack = await startNativeStack("two-way", clouds);
    resources = stack.local.changes.create ?? 0;
  }, START_MS);

  afterAll(() => stack?.stop());

  test("exist after one `pulumi up`, and each object is replicated to the other bucket once", async () => {
    const { local, source, destination } = running();
    expect(Object.keys(local.changes)).toEqual(["create"]);
    await put(source, "from-source", "a");
    await put(destination, "from-destination", "b");
    await arrives(destination, "from-source", ["a REPLICA"]);
    await arrives(source, "from-destination", ["b REPLICA"]);
    await settled(source, destination, source, destination);
    await arrives(source, "from-source", ["a COMPLETED"]);
    await arrives(destination, "from-source", ["a REPLICA"]);
    await arrives(source, "from-destination", ["b REPLICA"]);
    await arrives(destination, "from-destination", ["b COMPLETED"]);
  });

  test("replicate headers, metadata, tags and the storage class in both directions", async () => {
    const { source, destination } = running();
    const attributes = {
      ContentType: "text/html; charset=utf-8",
      CacheControl: "public, max-age=60",
      ContentDisposition: 'attachment; filename="a b.html"',
      ContentLanguage: "zh-Hans-CN, en",
      Metadata: { colour: "blue", "with-dashes": "a=b; c, d" },
      Tagging: "team=data&cost+center=a%2Bb%3D1",
      StorageClass: "STANDARD_IA",
    } as const;
    for (const [from, to, key] of [
      [source, destination, "attributes/中文 + one"],
      [destination, source, "attributes/中文 + two"],
    ] as const) {
      await put(from, key, key, attributes);
      await arrives(to, key, [`${key} REPLICA`]);
      const replica = await look(to, key);
      expect(replica).toEqual(await look(from, key));
      expect(replica).toMatchObject({
        headers: { contentType: attributes.ContentType, contentLanguage: attributes.ContentLanguage },
        metadata: attributes.Metadata,
        tags: { team: "data", "cost center": "a+b=1" },
      });
      expect((await head(to, key)).StorageClass).toBe("STANDARD_IA");
    }
  });

  test("replicate an overwrite from the other side, and then from the first side again", async () => {
    const { source, destination } = running();
    await put(source, "overwritten", "1");
    await put(destination, "overwritten", "2");
    await put(source, "overwritten", "3");
    await settled(source, destination, source, destination);
    await arrives(source, "overwritten", ["3 COMPLETED", "2 REPLICA", "1 COMPLETED"]);
    await arrives(destination, "overwritten", ["3 REPLICA", "2 COMPLETED", "1 REPLICA"]);
  });

  test("keep both versions if both sides write a key at once, and send neither back", async () => {
    const { source, destination } = running();
    const keys = Array.from({ length: 8 }, (_, index) => `at-once/${index}`);
    await Promise.all(keys.flatMap((key) => [put(source, key, "a"), put(destination, key, "b")]));
    await settled(source, destination, source, destination);
    for (const key of keys) {
      const [here, there] = [await history(source, key), await history(destination, key)];
      expect([...here.versions].sort()).toEqual(["a COMPLETED", "b REPLICA"]);
      expect([...there.versions].sort()).toEqual(["a REPLICA", "b COMPLETED"]);
    }
  });

  test("replicate delete markers in both directions, but not the deletion of a version", async () => {
    const { source, destination } = running();
    for (const [from, to, key] of [
      [source, destination, "deleted/one"],
      [destination, source, "deleted/two"],
    ] as const) {
      const first = await put(from, key, "1");
      await put(from, key, "2");
      await arrives(to, key, ["2 REPLICA", "1 REPLICA"]);
      await remove(from, key, first);
      await settled(from, to, from);
      await arrives(from, key, ["2 COMPLETED"]);
      await arrives(to, key, ["2 REPLICA", "1 REPLICA"]);

      // The side that has the replica deletes it.
      await remove(to, key);
      await settled(to, from, to);
      expect(await history(from, key)).toEqual({ versions: ["2 COMPLETED"], markers: 1, visible: false });
      expect(await history(to, key)).toEqual({ versions: ["2 REPLICA", "1 REPLICA"], markers: 1, visible: false });

      await put(from, key, "3");
      await settled(from, to, from);
      expect(await history(from, key)).toEqual({ versions: ["3 COMPLETED", "2 COMPLETED"], markers: 1, visible: true });
      const versions = ["3 REPLICA", "2 REPLICA", "1 REPLICA"];
      expect(await history(to, key)).toEqual({ versions, markers: 1, visible: true });
    }
  });

  test("are shown by `status` from either side", async () => {
    const { source, destination } = running();
    await put(source, "status/1", "12345");
    await put(source, "status/2", "12345");
    await put(destination, "status/3", "1234567");
    await settled(source, destination, source);
    const sums = (completed: object, replica: object) => ({ COMPLETED: completed, REPLICA: replica });
    expect(await running().status("--prefix", "status/")).toMatchObject({
      exitCode: 0,
      noted: [],
      printed: [
        {
          stack: "two-way",
          mode: "native",
          objects: 3,
          statuses: sums({ objects: 2, bytes: 10 }, { objects: 1, bytes: 7 }),
        },
      ],
    });
    expect(await running().status("--prefix", "status/", "--side", "destination")).toMatchObject({
      exitCode: 0,
      printed: [{ objects: 3, statuses: sums({ objects: 1, bytes: 7 }, { objects: 2, bytes: 10 }) }],
    });
    expect(await running().status("status/1", "status/3", "status/none")).toMatchObject({
      exitCode: 0,
      printed: [
        { key: "status/1", status: "COMPLETED", sizeBytes: 5, versionId: (await head(source, "status/1")).VersionId },
        { key: "status/3", status: "REPLICA" },
        { key: "status/none", status: "NONE", reason: "there is no such object" },
      ],
    });
  });

  test(
    "change nothing at a second `pulumi up`",
    async () => {
      expect(await running().local.up()).toEqual({ same: resources });
    },
    UP_MS,
  );

  test(
    "keep objects that the other side deletes with `deletes: ignore`, and replicate as before",
    async () => {
      const { local, source, destination } = running();
      // The rules and the role policy of each direction change.
      expect(await local.up({ "crossborderbridge:deletes": "ignore" })).toEqual({ update: 4, same: resources - 4 });
      for (const [from, to, key] of [
        [source, destination, "kept/one"],
        [destination, source, "kept/two"],
      ] as const) {
        await put(from, key, "1");
        await arrives(to, key, ["1 REPLICA"]);
        await remove(from, key);
        await settled(from, to, from);
        expect(await history(from, key)).toEqual({ versions: ["1 COMPLETED"], markers: 1, visible: false });
        await arrives(to, key, ["1 REPLICA"]);
      }
      await arrives(destination, "from-source", ["a REPLICA"]);
    },
    UP_MS,
  );

  test(
    "change to one-way and back to two-way by their settings, and stay the same buckets",
    async () => {
      const { local, source, destination } = running();
      // Two components, role, policy and rules of the way back are deleted. The other rules no longer replicate changes of replicas.
      const wayBack = 5;
      const ignore = { "crossborderbridge:deletes": "ignore" };
      const oneWay = await local.up({ ...ignore, "crossborderbridge:direction": "one-way" });
      expect(oneWay).toEqual({ delete: wayBack, update: 1, same: resources - wayBack - 1 });
      expect(await rulesOf(source)).toHaveLength(1);
      expect(await rulesOf(destination)).toBeUndefined();
      await put(destination, "one-way/stays", "there");
      await put(source, "one-way/goes", "on");
      await arrives(destination, "one-way/goes", ["on REPLICA"]);
      await arrives(destination, "one-way/stays", ["there NONE"]);
      expect(await statusOf(source, "one-way/stays")).toBe("absent");

      expect(await local.up(ignore)).toEqual({ create: wayBack, update: 1, same: resources - wayBack - 1 });
      // S3 replicates objects that are written from now on.
      await put(destination, "one-way/follows", "now");
      await arrives(source, "one-way/follows", ["now REPLICA"]);
      await arrives(source, "from-destination", ["b REPLICA"]);
      expect(await running().status("--prefix", "one-way/", "--side", "destination")).toMatchObject({
        // Nothing will bring the object that no rule took in.
        exitCode: 1,
        printed: [{ objects: 3, statuses: { COMPLETED: { objects: 1 }, REPLICA: { objects: 1 }, NONE: { objects: 1 } } }],
      });
      expect(await running().status("--side", "destination", "one-way/stays")).toMatchObject({
        printed: [{ status: "NONE", reason: expect.stringContaining("a backfill brings it") }],
      });
    },
    UP_MS,
  );

  test(
    "leave nothing after `pulumi destroy`",
    async () => {
      const { local, source, destination } = running();
      expect(await leftovers(source.cloud, REGIONS)).toEqual({
        ...GONE,
        buckets: [destination.bucket, source.bucket].sort(),
        roles: {
          "crossborderbridge-two-way-replication": ["replication"],
          "crossborderbridge-two-way-backward": ["replication"],
          "crossborderbridge-two-way-backfill": ["backfill"],
        },
        alarms: { "us-east-1": [], "eu-west-1": [] },
      });
      await local.destroy();
      expect(await leftovers(source.cloud, REGIONS)).toEqual({ ...GONE, alarms: { "us-east-1": [], "eu-west-1": [] } });
    },
    UP_MS,
  );
});

describe("a bucket that is replicated one-way to another bucket", () => oneWayTests(() => clouds));
