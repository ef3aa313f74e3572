/**
 * What a setting changes in what is deployed, to the letter. Each group's first variant is recorded whole, every other one as its
 * difference from it. `GOLDEN=write npx jest tests/components/golden-variants` records them into tests/golden/variants.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PlannedResource, planOf } from "../support/plan";
import { build, quietly } from "./bridge-fixture";
import { GROUPS } from "./variants";

jest.mock("../support/mock-aws", () =>
  jest
    .requireActual<typeof import("./native-accounts")>("./native-accounts")
    .withSecondAccount(jest.requireActual("../support/mock-aws")),
);

beforeEach(quietly);

const GOLDEN = join(__dirname, "..", "golden", "variants");

describe.each(Object.entries(GROUPS))("%s", (group, variants) => {
  const path = join(GOLDEN, `${group}.json`);
  const recorded: Record<string, unknown> = {};
  const [first] = Object.values(variants);
  const plan = async (variation: object): Promise<PlannedResource[]> => planOf((await build(variation)).resources);
  let whole: Promise<PlannedResource[]> | undefined;

  if (process.env.GOLDEN === "write") afterAll(() => writeFileSync(path, `${JSON.stringify(recorded, null, 1)}\n`));

  test.each(Object.entries(variants))("%s", async (name, variation) => {
    whole ??= plan(first ?? {});
    const found = variation === first ? await whole : changes(await whole, await plan(variation));
    recorded[name] = found;
    if (process.env.GOLDEN === "write") return;
    const golden = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    expect(found).toEqual(golden[name]);
  });

  test("no variant is recorded that is gone", () => {
    if (process.env.GOLDEN === "write") return;
    expect(Object.keys(JSON.parse(readFileSync(path, "utf8")) as object)).toEqual(Object.keys(variants));
  });
});

/** By urn; of a resource that both have, the properties that differ, undefined ones as null. */
function changes(before: readonly PlannedResource[], after: readonly PlannedResource[]): object {
  const [old, now] = [before, after].map((plan) => new Map(plan.map((resource) => [resource.urn, resource])));
  const added = after.filter(({ urn }) => !old?.has(urn));
  const removed = before.filter(({ urn }) => !now?.has(urn)).map(({ urn }) => urn);
  const changed = after.flatMap((resource) => {
    const difference = differenceOf(old?.get(resource.urn), resource);
    return old?.has(resource.urn) && difference !== undefined ? [[resource.urn, difference] as const] : [];
  });
  return { added, removed, changed: Object.fromEntries(changed) };
}

function differenceOf(before: unknown, after: unknown): unknown {
  if (JSON.stringify(before) === JSON.stringify(after)) return undefined;
  if (!isObject(before) || !isObject(after)) return after ?? null;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return Object.fromEntries(
    names.flatMap((name) => {
      const difference = differenceOf(before[name], after[name]);
      return difference === undefined ? [] : [[name, difference]];
    }),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
