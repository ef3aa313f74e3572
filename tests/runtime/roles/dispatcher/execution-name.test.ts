import fc from "fast-check";
import { executionName, executionNameFor, type Occasion } from "../../../../runtime/roles/dispatcher/execution-name";
import { makeSnapshot } from "../../support/make-snapshot";

const occasion = (changes: Partial<Occasion> = {}): Occasion => ({
  bridgeId: "bridge",
  key: "k",
  snapshot: makeSnapshot(),
  removal: false,
  eventId: "e1",
  ...changes,
});

test.each<[string, boolean, Partial<Occasion>, Partial<Occasion>]>([
  ["another event that finds the same state", true, {}, { eventId: "e2" }],
  ["a second later, nothing else changed", true, {}, { snapshot: makeSnapshot({ lastModified: "2026-03-01T00:00:01.000Z" }) }],
  ["another state", false, {}, { snapshot: makeSnapshot({ etag: "e2" }) }],
  ["other tags", false, {}, { snapshot: makeSnapshot({ tags: {} }) }],
  ["another key", false, {}, { key: "l" }],
  ["another bridge", false, {}, { bridgeId: "other" }],
  ["a removal that brings the state back", false, {}, { removal: true }],
  ["two removals", false, { removal: true }, { removal: true, eventId: "e2" }],
  ["one removal told twice", true, { removal: true }, { removal: true }],
  ["absent twice", false, { snapshot: undefined }, { snapshot: undefined, eventId: "e2" }],
  ["absent, told twice", true, { snapshot: undefined }, { snapshot: undefined }],
])("%s: one name is %s", (_, same, a, b) => {
  expect(executionName(occasion(a)) === executionName(occasion(b))).toBe(same);
});

test("every name is one that the service takes", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (key, eventId) => {
      const name = executionName(occasion({ key, eventId }));
      // https://www.alibabacloud.com/help/en/serverless-workflow/latest/execution-introduction
      for (const one of [name, executionNameFor(name, eventId)]) expect(one).toMatch(/^[A-Za-z_][A-Za-z0-9_-]{0,127}$/);
    }),
  );
});
