/**
 * The requests that both stores get for one event, of all roles together. Each is paid for, and each costs time: HEAD at the source, HEAD at the
 * destination, GET, PUT, and HEAD at the source again.
 */
import type { MemoryStore } from "../../../runtime/stores/memory/store";
import { type PullStageOptions, pullStage } from "../stage";

function countsOf(...stores: MemoryStore[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name, calls } of stores)
    for (const [call, count] of Object.entries(calls)) if (call !== "presignGet") counts[`${name} ${call}`] = count;
  return counts;
}

/** The requests of the last action. */
async function requestsOf(options: PullStageOptions, actions: readonly (readonly [string, number])[]) {
  const stage = pullStage(options);
  const { source, destination, control } = stage.world;
  const stores = () => countsOf(source, destination, control);
  let before = {} as Record<string, number>;
  for (const [what, content] of actions) {
    if (what === "again") stage.world.notify("k");
    else await stage.does(what as "write-small", "k", content);
    // The write itself is the user's.
    before = stores();
    await stage.settle();
  }
  const after = stores();
  const changed = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(changed.filter(([, count]) => count > 0));
}

describe.each([true, false])("conditional writes: %s", (conditionalWrites) => {
  const options = { conditionalWrites };

  test("a new small object takes five requests", async () => {
    // The first object shows that the destination keeps its headers.
    expect(
      await requestsOf(options, [
        ["write-small", 1],
        ["write-small", 2],
      ]),
    ).toEqual({
      "source head": 2,
      "source get": 1,
      "destination head": 1,
      "destination put": 1,
    });
  });

  test("the first object of a function is read again after its write: six", async () => {
    expect(await requestsOf(options, [["write-small", 1]])).toEqual({
      "source head": 2,
      "source get": 1,
      "destination head": 2,
      "destination put": 1,
    });
  });

  test("an unchanged object takes three requests", async () => {
    expect(
      await requestsOf(options, [
        ["write-small", 1],
        ["again", 0],
      ]),
    ).toEqual({ "source head": 2, "destination head": 1 });
  });

  test("a delete takes five requests", async () => {
    expect(
      await requestsOf({ ...options, deletes: "replicate" }, [
        ["write-small", 1],
        ["delete", 0],
      ]),
    ).toEqual({
      "source head": 3,
      "destination head": 1,
      "destination delete": 1,
    });
  });
});
