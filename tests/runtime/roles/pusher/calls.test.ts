/** The calls of the workflow: how an unfinished attempt is handed over, and the steps of executions that an older version began. */
import { type PushCall, Unfinished } from "../../../../runtime/protocol/push";
import { BridgeError } from "../../../../runtime/stores/errors";
import { openPusher } from "../push-fixture";

const down = async () => {
  throw new BridgeError("Unavailable", "head", "the store does not answer");
};

describe("what the first call hands to the workflow", () => {
  test("is the whole state, but for what the input has", async () => {
    const { answer, stateAt } = openPusher({ source: { head: down } });
    const state = stateAt("inspect", { eventId: "e1", firstSeenMs: 1_772_323_100_000 });
    const error = await answer({ why: "first", state }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "Unfinished", stack: "Unfinished" });
    expect((error as object).constructor.name).toBe("Unfinished");
    const resumed = await answer({ why: "resume", state, detail: `FC: {"errorMessage":"${(error as Error).message}"}` });
    expect(resumed).toMatchObject({ next: "wait", waits: 1, eventId: "e1", last: { place: "source" } });
    expect(resumed.firstSeenMs).toBe(state.firstSeenMs);
  });

  test("goes on at once where there is nothing to wait for", async () => {
    const { answer, stateAt, put, destination } = openPusher();
    await put("hello");
    const state = stateAt("inspect");
    const { message } = new Unfinished({ ...state, next: "copy" });
    expect(await answer({ why: "resume", state, detail: message })).toMatchObject({ next: "done", result: "replicated" });
    expect(destination.snapshotOf("to/a.txt")?.bytes.toString()).toBe("hello");
  });

  test.each(["", "cut: state:eyJuZXh0Ijoid2F", "state:eyJuZXh0IjoiZWxzZXdoZXJlIn0. next: elsewhere"])(
    "is not readable (%j): the next attempt waits until no write of the first one can land",
    async (detail) => {
      const { answer, stateAt, put, destination } = openPusher();
      await put("hello");
      const resumed = await answer({ why: "resume", state: stateAt("inspect"), detail });
      expect(resumed).toMatchObject({ next: "wait", waitSeconds: 25, attempt: 0 });
      expect(destination.calls.put).toBeUndefined();
    },
  );
});

describe("an execution that an older version began", () => {
  test.each(["inspect", "copy", "verify", "wait"] as const)("goes on from %s to the step that records it", async (next) => {
    const { put, answer, stateAt, destination, counted } = openPusher();
    await put("hello");
    const recorded = await answer({ why: "step", state: stateAt(next, next === "wait" ? { waitSeconds: 5 } : {}) });
    expect(recorded).toMatchObject({ next: "record", result: "replicated" });
    expect([destination.snapshotOf("to/a.txt")?.bytes.toString(), counted.Replicated]).toEqual(["hello", undefined]);
    expect(await answer({ why: "step", state: recorded })).toMatchObject({ next: "done", result: "replicated" });
    expect(counted).toMatchObject({ Replicated: 1, BytesMoved: 5, LagMs: 0 });
  });

  test.each(["wait", "inspect"] as const)(
    "waits once before its first look, if the workflow comes back with %s",
    async (next) => {
      const { put, answer, stateAt } = openPusher();
      await put("hello");
      const waiting = await answer({ why: "step", state: stateAt("inspect", { waitSeconds: 5 }) });
      expect(waiting).toMatchObject({ next: "wait", waitSeconds: 5, attempt: 0 });
      expect((await answer({ why: "step", state: { ...waiting, next } })).next).toBe("record");
    },
  );
});

test("the lease of a small object is read only if an attempt may have been made before", async () => {
  const { put, answer, stateAt, requestsMade } = openPusher();
  await put("hello");
  await answer({ why: "first", state: stateAt("inspect") });
  const requests = async (call: Pick<PushCall, "why" | "state">) => {
    const before = requestsMade();
    expect(await answer(call)).toMatchObject({ result: "unchanged" });
    return requestsMade() - before;
  };
  const fresh = await requests({ why: "first", state: stateAt("inspect") });
  expect(await requests({ why: "again", state: stateAt("inspect") })).toBe(fresh + 1);
  expect(await requests({ why: "first", state: stateAt("inspect", { askedBefore: true }) })).toBe(fresh + 1);
});
