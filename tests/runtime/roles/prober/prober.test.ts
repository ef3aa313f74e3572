import { gzipSync } from "node:zlib";
import { BridgeError } from "../../../../runtime/stores/errors";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import { VirtualTime } from "../../../support/virtual-time";
import { AT_DESTINATION, instead, makeProber } from "./probe-fixture";

const KEY = (name: string) => `in/crossborderbridge-probe/${name}.jpg`;
const attributes = { headers: {}, metadata: {}, tags: {} };

describe("put", () => {
  test("puts objects of the given sizes, with the scope's suffix and tags and the posting time", async () => {
    const { prober, memory, clock, invocation } = makeProber();
    const objects = [
      { name: "run/1", sizeBytes: 100_000 },
      { name: "run/2", sizeBytes: 0 },
    ];
    const answer = await prober.handle({ action: "put", objects }, invocation());
    expect(answer).toEqual({ put: objects.map((object) => ({ ...object, postedAtMs: clock.now() })) });
    expect(memory.keys()).toEqual([KEY("run/1"), KEY("run/2")]);
    const stored = memory.snapshotOf(KEY("run/1"));
    expect(stored).toMatchObject({
      headers: { contentType: "application/octet-stream" },
      metadata: { "probe-posted-at": "2026-03-01T00:00:00.000Z" },
      tags: { team: "red" },
    });
    expect(stored?.bytes).toHaveLength(100_000);
    // Bytes that compress would measure another size than the requested one.
    expect(gzipSync(stored?.bytes ?? "").length).toBeGreaterThan(100_000);
  });

  test("one after the other; posted is when the store had acknowledged, and the metadata tell when it began", async () => {
    const clock = new VirtualTime();
    const beganMs = clock.now();
    const memory = new MemoryStore({ clock });
    const slow = instead(memory, {
      put: async (...call) => {
        await clock.sleep(1_500);
        return await memory.put(...call);
      },
    });
    const { prober, invocation } = makeProber({ clock, store: slow, config: AT_DESTINATION });
    const objects = ["a", "b"].map((name) => ({ name, sizeBytes: 1 }));
    const answer = await clock.during(prober.handle({ action: "put", objects }, invocation()));
    expect(answer).toMatchObject({ put: [{ postedAtMs: beganMs + 1_500 }, { postedAtMs: beganMs + 3_000 }] });
    expect(memory.snapshotOf(`to/${KEY("b")}`)?.metadata["probe-posted-at"]).toBe(new Date(beganMs + 1_500).toISOString());
  });

  test("an object that the store refuses is named, with the number of objects before it", async () => {
    const { prober, invocation } = makeProber({
      store: instead(new MemoryStore({ clock: new VirtualTime() }), {
        put: async (key) => {
          if (key === KEY("b")) throw new BridgeError("PermissionDenied", "put", "the store refused");
          return { etag: "e" };
        },
      }),
    });
    const objects = ["a", "b", "c"].map((name) => ({ name, sizeBytes: 1 }));
    await expect(prober.handle({ action: "put", objects }, invocation())).rejects.toMatchObject({
      kind: "PermissionDenied",
      message: `after 1 of 3 objects: the prober of the source cannot put "${KEY("b")}": the store refused`,
    });
  });

  test("nothing is put when its answer would come too late", async () => {
    const { prober, memory, invocation } = makeProber();
    const request = { action: "put", objects: [{ name: "a", sizeBytes: 1 }] } as const;
    await expect(prober.handle({ ...request, objects: [...request.objects] }, invocation(2))).rejects.toThrow(
      /^after 0 of 1 objects: .*the function's time ended/,
    );
    expect(memory.calls).toEqual({});
  });
});

describe("clean", () => {
  test("the visible version goes for good, without a marker; what is not there is no error", async () => {
    const { prober, memory, invocation } = makeProber();
    for (const body of ["old", "new"]) await memory.put(KEY("a"), Buffer.from(body), { sizeBytes: 3, attributes });
    const [old] = memory.versionIds(KEY("a"));
    expect(await prober.handle({ action: "clean", names: ["a", "b"] }, invocation())).toEqual({ cleaned: 1 });
    expect(memory.versionIds(KEY("a"))).toEqual([old]);
  });

  test("where no versions are kept, the object goes", async () => {
    const clock = new VirtualTime();
    const store = new MemoryStore({ clock });
    await store.put(KEY("a"), Buffer.from("a"), { sizeBytes: 1, attributes });
    const { prober, invocation } = makeProber({ clock, store });
    expect(await prober.handle({ action: "clean", names: ["a"] }, invocation())).toEqual({ cleaned: 1 });
    expect(store.keys()).toEqual([]);
  });

  test("an object that cannot be removed does not stop the removal of the others", async () => {
    const clock = new VirtualTime();
    const memory = new MemoryStore({ clock });
    for (const name of ["a", "b", "c"]) await memory.put(KEY(name), Buffer.from("a"), { sizeBytes: 1, attributes });
    const store = instead(memory, {
      delete: async (key, options) => {
        if (key === KEY("b")) throw new BridgeError("PermissionDenied", "delete", "the store refused");
        await memory.delete(key, options);
      },
    });
    const { prober, invocation } = makeProber({ clock, store });
    await expect(prober.handle({ action: "clean", names: ["a", "b", "c"] }, invocation())).rejects.toMatchObject({
      kind: "PermissionDenied",
      message: `1 of 3 objects are left: the prober of the source cannot remove "${KEY("b")}": the store refused`,
    });
    expect(memory.keys()).toEqual([KEY("b")]);
  });
});
