import fc from "fast-check";
import { probeRequestSchema } from "../../../../runtime/protocol/probe";
import { canaryName, parseCanaryName, probeKey, probeName } from "../../../../runtime/roles/prober/names";

const place = fc.record({ keyPrefix: fc.string(), probePrefix: fc.string({ minLength: 1 }), suffix: fc.string() });
const name = fc.stringMatching(/^[\w-][\w./-]{0,40}$/);
const minute = fc.integer({ min: 0, max: 100_000_000 }).map((minutes) => minutes * 60_000);
const canary = fc.record({
  bridgeId: fc.string({ minLength: 1 }).filter((text) => !/[\r\n\u2028\u2029]/.test(text)),
  from: fc.constantFrom("source" as const, "destination" as const),
  slotMs: minute,
});

test("a key is parsed back to its name, and two names have two keys", () => {
  fc.assert(fc.property(place, name, (at, one) => probeName(at, probeKey(at, one)) === one));
  fc.assert(fc.property(place, name, name, (at, one, two) => one === two || probeKey(at, one) !== probeKey(at, two)));
});

test("the parts of a key", () => {
  const at = { keyPrefix: "to/", probePrefix: "in/probe/", suffix: ".jpg" };
  expect(probeKey(at, "run/1")).toBe("to/in/probe/run/1.jpg");
  expect(probeName(at, "in/probe/run/1.jpg")).toBeUndefined();
  expect(probeName(at, "to/in/probe/run/1")).toBeUndefined();
  expect(probeName(at, "to/in/probe/.jpg")).toBeUndefined();
  // The suffix and the prefix do not share bytes.
  expect(probeName({ keyPrefix: "", probePrefix: "a", suffix: "a" }, "a")).toBeUndefined();
});

test("a canary is parsed from its name, and both sides derive the same name", () => {
  fc.assert(
    fc.property(canary, (one) => {
      expect(parseCanaryName(canaryName(one))).toEqual(one);
    }),
  );
  const slotMs = Date.parse("2026-03-01T00:05:00Z");
  expect(canaryName({ bridgeId: "photos", from: "source", slotMs })).toBe("canary/photos/source-20260301T0005Z");
});

test("a canary's name is a valid name", () => {
  const names = [canaryName({ bridgeId: "photos", from: "destination", slotMs: 0 })];
  expect(probeRequestSchema.safeParse({ action: "clean", names }).success).toBe(true);
});

test.each([
  "",
  "run/1",
  "canary/source-20260301T0005Z",
  "canary/photos/elsewhere-20260301T0005Z",
  "canary/photos/source-20260230T0005Z",
  "canary/photos/source-20260301T2505Z",
  "canary/photos/source-20260301T0005Z/more",
])("%p is no canary's", (text) => {
  expect(parseCanaryName(text)).toBeUndefined();
});
