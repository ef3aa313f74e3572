import { chooseEngine, type Engine } from "../../../operator/backfill/engine";
import { UsageError } from "../../../operator/command";
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
])("auto chooses the engine for %s", (_name, bridge, local, engine) => {
  expect(chooseEngine(bridge, "auto", { local }).engine).toBe(engine);
});

test.each<[Engine, ReturnType<typeof stack>, boolean, string]>([
  ["batch", stack(nativeRaw()), false, "set existingObjects: replicate and deploy"],
  ["batch", stack(nativeRaw(), true), true, "the local cloud has no S3 Batch Operations"],
  ["batch", stack(ossNativeRaw()), false, "of AWS alone"],
  ["batch", stack(pullRaw()), false, "take --engine bridge"],
  ["copy", stack(pullRaw()), false, "take --engine bridge"],
  ["bridge", stack(nativeRaw()), false, "take --engine copy"],
])("refuses engine %s if the stack has none, and names an alternative", (engine, bridge, local, message) => {
  expect(() => chooseEngine(bridge, engine, { local })).toThrow(UsageError);
  expect(() => chooseEngine(bridge, engine, { local })).toThrow(message);
});

test("says before the run that OSS can replicate by itself and that a copy leaves a version behind", () => {
  const [copied, oss] = chooseEngine(stack(ossNativeRaw({ existingObjects: "ignore" })), "auto", { local: false }).notices;
  expect(copied).toContain("new version");
  expect(oss).toContain("set existingObjects: replicate and deploy");
  const [, already] = chooseEngine(stack(ossNativeRaw({ existingObjects: "replicate" })), "auto", { local: false }).notices;
  expect(already).toContain("OSS replicates existing objects by itself");
  const { notices } = chooseEngine(stack(nativeRaw({ direction: "two-way" })), "auto", { local: false });
  expect(notices.at(-1)).toContain("the way back is left alone");
});
