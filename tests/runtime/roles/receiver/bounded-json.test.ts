import * as fc from "fast-check";
import { parseBoundedJson } from "../../../../runtime/roles/receiver/bounded-json";

function parse(text: string, depth = 3) {
  return parseBoundedJson(Buffer.from(text), depth);
}

test.each([
  ["[[[]]]", true],
  ["[[[[]]]]", false],
  ['{"a":{"b":{}}}', true],
  ['{"a":{"b":{"c":{}}}}', false],
  ["[[],[],[],[]]", true],
  ['{"a":[{}],"b":[{}]}', true],
  ['["[[[[[{{{{"]', true],
  ['["\\"[[[[["]', true],
  ['["\\\\",[[]]]', true],
  ['["\\\\",[[[]]]]', false],
  ['"[[[["', true],
])("%s within three levels: %p", (text, ok) => {
  const result = parse(text);
  expect(result).toEqual(ok ? { ok, value: JSON.parse(text) } : { ok, reason: "too-deep" });
});

test.each(["", "{", "[1,]", "{'a':1}", '"', "\\", "nul", "{}{}", "]]]]"])("%p is not JSON", (text) => {
  expect(parse(text)).toEqual({ ok: false, reason: "not-json" });
});

test("a million brackets are refused without being parsed", () => {
  expect(parse("[".repeat(1_000_000))).toEqual({ ok: false, reason: "too-deep" });
  expect(parse('{"a":'.repeat(500_000))).toEqual({ ok: false, reason: "too-deep" });
});

test("whatever JSON says, with depth as JSON.parse would count it", () => {
  const depthOf = (value: unknown): number =>
    typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
  return fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      const expected = depthOf(value) > 3 ? { ok: false, reason: "too-deep" } : { ok: true, value: JSON.parse(text) };
      expect(parse(text)).toEqual(expected);
    }),
  );
});
