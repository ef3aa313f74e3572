import { chooseEngine, type Engine } from "../../../cli/backfill/engine";
import { asksForTags, listingPrefixes, scopesFor, scopesOf } from "../../../cli/backfill/scopes";
import { UsageError } from "../../../cli/command";
import type { Scope } from "../../../runtime/protocol/env";
import { FakeBridge, nativeRaw, ossNativeRaw, pullRaw } from "./fixture";

const backfillRoleArn = "arn:aws:iam::111122223333:role/backfill";

function stack(raw: Record<string, unknown>, role = false) {
  const { config, outputs } = new FakeBridge(raw);
  return { config, outputs: { ...outputs, ...(role ? { backfillRoleArn } : {}) } };
}

test.each<[string, ReturnType<typeof stack>, boolean, Engine]>([
  ["native on AWS with the role", stack(nativeRaw(), true), false, "batch"],
  ["native on AWS with the role, locally", stack(nativeRaw(), true), true, "copy"],
  ["native on AWS without the role", stack(nativeRaw()), false, "copy"],
  ["native on OSS", stack(ossNativeRaw()), false, "copy"],
  ["pull", stack(pullRaw()), false, "bridge"],
])("auto on %s", (_name, bridge, local, engine) => {
  expect(chooseEngine(bridge, "auto", { local }).engine).toBe(engine);
});

test.each<[Engine, ReturnType<typeof stack>, boolean, string]>([
  ["batch", stack(nativeRaw()), false, "set existingObjects: replicate and deploy"],
  ["batch", stack(nativeRaw(), true), true, "the local cloud has no S3 Batch Operations"],
  ["batch", stack(ossNativeRaw()), false, "of AWS alone"],
  ["batch", stack(pullRaw()), false, "take --engine bridge"],
  ["copy", stack(pullRaw()), false, "take --engine bridge"],
  ["bridge", stack(nativeRaw()), false, "take --engine copy"],
])("%s is refused where the stack has none, with what to take instead", (engine, bridge, local, told) => {
  expect(() => chooseEngine(bridge, engine, { local })).toThrow(UsageError);
  expect(() => chooseEngine(bridge, engine, { local })).toThrow(told);
});

test("what OSS can do by itself, and what a copy leaves behind, is said before it begins", () => {
  const [copied, oss] = chooseEngine(stack(ossNativeRaw({ existingObjects: "ignore" })), "auto", { local: false }).notices;
  expect(copied).toContain("new version");
  expect(oss).toContain("set existingObjects: replicate and deploy");
  const [, already] = chooseEngine(stack(ossNativeRaw({ existingObjects: "replicate" })), "auto", { local: false }).notices;
  expect(already).toContain("OSS carries what was there before by itself");
  const { notices } = chooseEngine(stack(nativeRaw({ direction: "two-way" })), "auto", { local: false });
  expect(notices.at(-1)).toContain("the way back is left alone");
});

const scope = (prefixes: string[], more: Partial<Scope> = {}): Scope => ({
  prefixes,
  suffixes: [],
  tags: {},
  minSizeBytes: 0,
  ...more,
});

test("the rules of S3 replication are the scope where there are some, disabled ones left out", () => {
  const rule = { enabled: true, tags: {}, priority: 1 };
  const rules = [
    { ...rule, id: "a", prefix: "a/", tags: { keep: "yes" } },
    { ...rule, id: "b", prefix: "", priority: 2, enabled: false },
  ];
  expect(scopesOf(stack(nativeRaw({ replication: { rules } })).config)).toEqual([scope(["a/"], { tags: { keep: "yes" } })]);
  expect(scopesOf(stack(pullRaw({ scope: { prefixes: ["x/"] } })).config)).toEqual([scope(["x/"])]);
});

test("listings are as narrow as scope and prefix allow, none within another, in the order of keys", () => {
  expect(listingPrefixes([scope([])], "")).toEqual([""]);
  expect(listingPrefixes([scope([])], "a/")).toEqual(["a/"]);
  expect(listingPrefixes([scope(["b/", "a/", "a/b/"])], "")).toEqual(["a/", "b/"]);
  expect(listingPrefixes([scope(["b/", "a/"]), scope(["c/"])], "a/x")).toEqual(["a/x"]);
  expect(listingPrefixes([scope(["a/x/1", "a/x/2"])], "a/")).toEqual(["a/x/1", "a/x/2"]);
  expect(listingPrefixes([scope(["a/"])], "b/")).toEqual([]);
  // U+FFFF comes before an emoji in UTF-8 and after it in UTF-16.
  expect(listingPrefixes([scope(["😀", "\uffff"])], "")).toEqual(["\uffff", "😀"]);
});

test("tags are asked for only where nothing else lets the object in", () => {
  const tagged = scope(["a/"], { tags: { keep: "yes" } });
  expect(asksForTags(scopesFor([tagged], "a/1", 1))).toBe(true);
  expect(asksForTags(scopesFor([tagged, scope(["a/"])], "a/1", 1))).toBe(false);
  expect(scopesFor([tagged], "b/1", 1)).toEqual([]);
  expect(scopesFor([scope([], { minSizeBytes: 2 })], "a", 1)).toEqual([]);
  expect(scopesFor([scope([])], ".crossborderbridge/dev/lease", 1)).toEqual([]);
});
