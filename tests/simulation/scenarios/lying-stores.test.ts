/** Destination stores whose answer to a write is not true. The bridge believes an answer only as far as the store has verified it. */
import type { ObjectStore, PutOptions } from "../../../runtime/stores/object-store";
import { settle } from "../explore";
import { pullStage } from "../stage";

type Put = (...args: Parameters<ObjectStore["put"]>) => ReturnType<ObjectStore["put"]>;

const withPut = (change: (put: Put, times: number) => Put) => {
  let times = 0;
  return pullStage({
    sabotage: {
      receiver: (deps) => ({
        ...deps,
        destination: new Proxy(deps.destination, {
          get(target, name) {
            const value = Reflect.get(target, name) as unknown;
            if (name === "put") return change(target.put.bind(target), ++times);
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
      }),
    },
  });
};

const CONTENT_2 = "222222";

test("the first object's tags are dropped in silence: they are found missing, and written", async () => {
  const untagged = (options: PutOptions): PutOptions => ({ ...options, attributes: { ...options.attributes, tags: {} } });
  const stage = withPut((put) => (key, body, options) => put(key, body, untagged(options)));
  await stage.does("write-small", "k", 1);
  await stage.world.source.putTags("k", { state: "final" });
  stage.world.notify("k");
  await settle(stage.director, stage.world);
  expect(await stage.world.destination.getTags("k")).toEqual({ state: "final" });
  expect(stage.world.parked).toEqual([]);
});

test("the answer reports another checksum than the one that was sent: no success, and the object is written again", async () => {
  const stage = withPut((put, times) => async (key, body, options) => {
    const result = await put(key, body, options);
    const { checksum } = options;
    return checksum === undefined || times > 1 ? result : { ...result, checksums: [{ ...checksum, value: "AAAAAAAAAAA=" }] };
  });
  await stage.does("write-small", "k", 2);
  await settle(stage.director, stage.world);
  expect(stage.world.events.filter((event) => event.includes("stored bytes with the"))).toHaveLength(1);
  expect(stage.seen().at(-1)).toBe(CONTENT_2);
  expect(stage.world.parked).toEqual([]);
});

test("a success that stored nothing: the first object is found missing, and written again", async () => {
  const stage = withPut((put, times) => async (key, body, options) => (times > 1 ? put(key, body, options) : { etag: "none" }));
  await stage.does("write-small", "k", 2);
  await settle(stage.director, stage.world);
  expect(stage.seen()).toEqual([CONTENT_2]);
  expect(stage.world.parked).toEqual([]);
});
