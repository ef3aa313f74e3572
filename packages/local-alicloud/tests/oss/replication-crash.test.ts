import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Replicator } from "../../src/oss/replication/replicator";
import type { Bucket } from "../../src/oss/store/bucket";
import { DiskStore } from "../../src/oss/store/disk-store";
import type { BucketRecord, ReplicationRule } from "../../src/oss/store/model";
import { withVersion } from "../../src/oss/store/versions";
import { type OssFixture, ROOT } from "./oss-fixture";
import { contentOf, replicate, ruleTo, startReplicating } from "./replication-fixture";

let fixture: OssFixture;
beforeEach(async () => {
  fixture = await startReplicating();
});
afterEach(() => fixture.stop());

describe("killed in the middle of writes", () => {
  let child: ChildProcess | undefined;
  afterEach(() => {
    child?.kill("SIGKILL");
  });

  test.each([
    ["and of copies", []],
    ["before any copy", ["refuse"]],
  ])(
    "%s: every write and deletion that was acknowledged is replicated after the next start",
    async (_when, more) => {
      const [from, to] = ["killed-source", "killed-destination"];
      await fixture.bucket(from);
      await fixture.bucket(to);
      await replicate(fixture, { bucket: from }, ruleTo(to, { location: "oss-cn-shanghai" }));
      await fixture.oss.stop();
      child = fork(join(__dirname, "oss-process.ts"), [fixture.dataDir, join(fixture.dataDir, "state"), ...more], {
        execArgv: ["--import", "tsx"],
      });
      const [endpoint] = (await once(child, "message")) as [string];
      const victim = fixture.client({ bucket: from, endpoint } as object);
      let acknowledged = 0;
      const writers = Array.from({ length: 6 }, async (_, writer) => {
        for (let round = 0; ; round++) {
          const key = `key-${writer}-${round % 4}`;
          try {
            if (round % 5 === 4) await victim.delete(key);
            else await victim.put(key, Buffer.alloc(20_000, round % 256));
          } catch {
            return;
          }
          if (++acknowledged === 60) child?.kill("SIGKILL");
        }
      });
      await Promise.all(writers);
      await fixture.restart();
      await fixture.oss.settled();
      const [source, destination] = [from, to].map((bucket) => fixture.client({ ...ROOT, bucket }));
      const names = async (client = source) => (await client?.list({ "max-keys": 100 }, {}))?.objects?.map(({ name }) => name);
      expect(await names(destination)).toEqual(await names(source));
      expect((await names(source))?.length).toBeGreaterThan(0);
      for (const key of (await names(source)) ?? [])
        if (source && destination) expect(await contentOf(destination, key)).toBe(await contentOf(source, key));
    },
    60_000,
  );
});

describe("a rule that is deleted while it works", () => {
  const record = (name: string): BucketRecord => ({
    name,
    region: "cn-shanghai",
    ownerId: "1",
    createdAt: 0,
    storageClass: "Standard",
    redundancy: "LRS",
    acl: "private",
    publicAccessBlock: true,
    tags: {},
  });
  const rule: ReplicationRule = {
    id: "rule",
    createdAt: 0,
    prefixes: [],
    actions: ["ALL"],
    destination: { bucket: "to", location: "oss-cn-shanghai", transferType: "internal" },
    status: "doing",
    syncRole: "replication",
  };
  const failures: unknown[] = [];
  let store: DiskStore;
  let replicator: Replicator;
  let from: Bucket;
  let to: Bucket;

  const open = async () => {
    store = await DiskStore.open(join(fixture.dataDir, "closing"));
    const onFailure = (error: unknown) => void failures.push(error);
    replicator = new Replicator({
      store,
      authorize: () => "allow",
      hooks: {},
      now: Date.now,
      retryMs: 3_600_000,
      stateMs: 0,
      onFailure,
    });
    replicator.start();
  };
  const write = async (key: string) => {
    const { md5, ...content } = await from.data.receive(Readable.from([Buffer.from(key)]));
    const object = {
      ...content,
      md5,
      headers: {},
      metadata: {},
      tags: {},
      storageClass: "Standard",
      type: "Normal",
      etag: md5,
    } as const;
    const version = { ...object, versionId: "null", lastModified: Date.now() };
    await from.keys.update(key, (versions) => ({ versions: withVersion(versions, version), result: undefined }));
  };
  const setStatus = (status: ReplicationRule["status"]) => from.configure({ replication: [{ ...rule, status }] });
  const keysOf = (bucket: Bucket) => [...bucket.keys.sorted.from("")];

  beforeEach(async () => {
    await open();
    from = (await store.create(record("from"))).bucket;
    to = (await store.create(record("to"))).bucket;
    await setStatus("doing");
  });
  afterEach(async () => {
    await replicator.stop();
    expect(failures).toEqual([]);
  });

  test("finishes running work, starts no other, and is then removed", async () => {
    const share = to.data.share.bind(to.data);
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      jest.spyOn(to.data, "share").mockImplementation(async (...what) => {
        resolve();
        await released;
        return share(...what);
      });
    });
    await write("one");
    await begun;
    await setStatus("closing");
    await replicator.close(from, rule);
    expect(from.rules).toMatchObject([{ status: "closing" }]);
    await write("two");
    release();
    await replicator.settled();
    expect(from.rules).toEqual([]);
    expect([keysOf(to), from.keys.pendingKeys()]).toEqual([["one"], []]);
  });

  test("is removed after a restart, with its pending work", async () => {
    await replicator.stop();
    await write("one");
    await setStatus("closing");
    await open();
    [from, to] = [store.find("from"), store.find("to")] as [Bucket, Bucket];
    await replicator.settled();
    expect(from.rules).toEqual([]);
    expect([keysOf(to), from.keys.pendingKeys()]).toEqual([[], []]);
  });

  test("is listed again at the next start when its first listing was interrupted", async () => {
    await replicator.stop();
    await from.configure({ replication: [] });
    await write("one");
    await from.configure({ replication: [{ ...rule, historical: {} }] });
    await open();
    [from, to] = [store.find("from"), store.find("to")] as [Bucket, Bucket];
    await replicator.settled();
    expect(keysOf(to)).toEqual(["one"]);
    expect(from.rules).toMatchObject([{ historical: { count: 1 } }]);
  });
});
