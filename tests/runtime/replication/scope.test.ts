import type { Scope } from "../../../runtime/protocol/env";
import { inScope, inScopeByKey } from "../../../runtime/replication/scope";

const EVERYTHING: Scope = { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 };

describe("by key", () => {
  test.each([
    ["no rule", {}, "any/key", true],
    ["one of the prefixes", { prefixes: ["a/", "b/"] }, "b/c", true],
    ["none of the prefixes", { prefixes: ["a/", "b/"] }, "c/a/", false],
    ["prefixes are exact in case", { prefixes: ["A/"] }, "a/b", false],
    ["one of the suffixes", { suffixes: [".jpg", ".png"] }, "x.png", true],
    ["none of the suffixes", { suffixes: [".jpg"] }, "x.jpg ", false],
    ["prefix and suffix", { prefixes: ["a/"], suffixes: [".jpg"] }, "a/x.gif", false],
    ["prefix and suffix that overlap", { prefixes: ["ab"], suffixes: ["b"] }, "ab", true],
    ["the control prefix", {}, ".crossborderbridge/b/lease", false],
    ["the control prefix, even when asked for", { prefixes: [".crossborderbridge/"] }, ".crossborderbridge/x", false],
    ["a key that only looks like it", {}, "a/.crossborderbridge/x", true],
    ["a folder that only begins like it", {}, ".crossborderbridge2/x", true],
  ])("%s", (_name, rules, key, expected) => {
    expect(inScopeByKey({ ...EVERYTHING, ...rules }, key).inScope).toBe(expected);
  });

  test("the reason names the rule", () => {
    expect(inScopeByKey({ ...EVERYTHING, prefixes: ["a/"] }, "b")).toEqual({
      inScope: false,
      reason: 'the key starts with none of the prefixes "a/"',
    });
  });
});

describe("by snapshot", () => {
  const object = { sizeBytes: 10, tags: { kind: "photo", state: "" } };

  test.each([
    ["no rule", {}, true],
    ["exactly the smallest size", { minSizeBytes: 10 }, true],
    ["too small", { minSizeBytes: 11 }, false],
    ["exactly the largest size", { maxSizeBytes: 10 }, true],
    ["too large", { maxSizeBytes: 9 }, false],
    ["a tag", { tags: { kind: "photo" } }, true],
    ["an empty tag", { tags: { state: "" } }, true],
    ["every tag must be there", { tags: { kind: "photo", owner: "me" } }, false],
    ["another value", { tags: { kind: "Photo" } }, false],
    ["a tag that is missing is not an empty tag", { tags: { owner: "" } }, false],
    ["a tag named like something every JavaScript object has", { tags: { constructor: "x" } }, false],
    ["the key's rules hold as well", { prefixes: ["b"] }, false],
  ])("%s", (_name, rules, expected) => {
    expect(inScope({ ...EVERYTHING, ...rules }, "a", object).inScope).toBe(expected);
  });

  test("an empty object is in scope without a minimum size", () => {
    expect(inScope(EVERYTHING, "a", { sizeBytes: 0, tags: {} })).toEqual({ inScope: true });
  });

  test.each([
    [{ minSizeBytes: 11 }, "10 bytes are fewer than minSizeBytes 11"],
    [{ maxSizeBytes: 9 }, "10 bytes are more than maxSizeBytes 9"],
    [{ tags: { kind: "text" } }, 'the tag "kind" is not "text"'],
  ])("%j: the reason names the rule and the value", (rules, reason) => {
    expect(inScope({ ...EVERYTHING, ...rules }, "a", object)).toEqual({ inScope: false, reason });
  });
});
