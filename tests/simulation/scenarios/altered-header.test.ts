/** A destination that does not keep a header as it was written. Each further write would move the same bytes in vain. */
import type { ObjectStore } from "../../../runtime/stores/object-store";
import { settle } from "../explore";
import { pullStage, pushStage, type Stage } from "../stage";
import type { World } from "../world/world";

/** A store that answers every look with another Content-Type, once it has begun to. */
function altering(store: ObjectStore, hasBegun = () => true): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (name === "head")
        return async (...args: Parameters<ObjectStore["head"]>) => {
          const head = await target.head(...args);
          if (!hasBegun()) return head;
          return head && { ...head, headers: { ...head.headers, contentType: "text/altered" } };
        };
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function play(stage: Stage<World>, size: "write-small" | "write-large") {
  await stage.does(size, "k", 1);
  await settle(stage.director, stage.world);
  return { letters: stage.world.parked.map(({ reason }) => reason), bytesMoved: stage.bytesMoved };
}

const pull = () =>
  pullStage({
    sabotage: {
      receiver: (deps) => ({ ...deps, destination: altering(deps.destination) }),
      copier: (deps) => ({ ...deps, destination: altering(deps.destination) }),
    },
  });
const push = () => pushStage({ sabotage: { pusher: (deps) => ({ ...deps, destination: altering(deps.destination) }) } });

test.each<[string, () => Stage<World>, "write-small" | "write-large", number]>([
  ["pull, a small object", pull, "write-small", 6],
  ["pull, a copy", pull, "write-large", 11],
  ["push, a small object", push, "write-small", 6],
  ["push, a copy", push, "write-large", 11],
])("%s: at most two transfers, then a letter with the header and both values", async (_what, open, size, sizeBytes) => {
  const { letters, bytesMoved } = await play(open(), size);
  expect(bytesMoved).toBeLessThanOrEqual(2 * sizeBytes);
  expect(letters).toHaveLength(1);
  for (const part of ["content-type", "text/plain", "text/altered"]) expect(letters[0]?.toLowerCase()).toContain(part);
});

test("a store that alters a header it kept before: unnoticed at first, and found by the next look, after one more transfer", async () => {
  let hasBegun = false;
  const stage = pullStage({
    sabotage: { receiver: (deps) => ({ ...deps, destination: altering(deps.destination, () => hasBegun) }) },
  });
  await stage.does("write-small", "k", 1);
  await settle(stage.director, stage.world);
  hasBegun = true;
  await stage.does("write-small", "k", 2);
  await settle(stage.director, stage.world);
  expect(stage.world.parked).toEqual([]);
  stage.world.notify("k");
  await settle(stage.director, stage.world);
  expect(stage.bytesMoved).toBe(3 * 6);
  expect(stage.world.parked.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^the destination does not keep the object as it was written: .*content-type/i),
  ]);
});
