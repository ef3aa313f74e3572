import { type PushState, parsePushState } from "../../../runtime/protocol/push";

const state: PushState = {
  version: 1,
  next: "inspect",
  key: "a",
  execution: "k1",
  firstSeenMs: 1,
  attempt: 0,
  rounds: 0,
  bytesMoved: 0,
};

test("a state is read as it was written", () => {
  const full = { ...state, eventId: "e1", next: "wait", waitSeconds: 5, busySinceMs: 2, result: "retry", reason: "busy" };
  for (const one of [state, full]) expect(parsePushState(JSON.parse(JSON.stringify(one)))).toEqual(one);
});

test.each<[object | null, string]>([
  [{ ...state, key: "" }, "key"],
  [{ ...state, next: "elsewhere", attempt: -1 }, "next, attempt"],
  [{ ...state, version: 2 }, "version"],
  [{ ...state, url: "https://example.com/?very-secret" }, "(root)"],
  [null, "(root)"],
])("%j is refused by field, without a value", (value, fields) => {
  expect(() => parsePushState(value)).toThrow(new Error(`the workflow's state does not fit version 1: ${fields}`));
});
