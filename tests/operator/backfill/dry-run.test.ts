import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BILLED, type Billed, DEFAULT_PRICES } from "../../../cost/prices";
import { BATCH_SIZE } from "../../../cost/requests";
import { estimate } from "../../../operator/backfill/cost";
import { noCounts } from "../../../operator/backfill/counts";
import { assertOptions, type BackfillOptions } from "../../../operator/backfill/options";
import { UsageError } from "../../../operator/command";
import { loadPrices, priceSchema } from "../../../operator/prices";
import { FakeBridge, nativeRaw, ossNativeRaw, pullRaw, run, withFolder } from "./fixture";

test("a dry run counts and prices, and changes nothing, not even the checkpoint of a real run", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    await writeFile(checkpoint, "of a real run");
    const bridge = new FakeBridge(nativeRaw({ scope: { prefixes: ["in/"] } }));
    await bridge.put("in/there", "1234");
    bridge.from.setReplication("in/there", "COMPLETED");
    await bridge.put("in/missing", "12345678");
    await bridge.put("out/missing", "12345678");
    const { exitCode, printed, noted } = await run(bridge, { dryRun: true, checkpoint, json: true });
    expect(exitCode).toBe(0);
    expect(bridge.touched).toEqual([]);
    expect(bridge.enqueued).toEqual([]);
    const result = JSON.parse(printed[0] ?? "") as { cost: { lines: unknown[] } };
    expect(result).toMatchObject({
      dryRun: true,
      engine: "copy",
      ended: "complete",
      counts: { due: { objects: 1, bytes: 8 }, present: { objects: 1, bytes: 4 }, outOfScope: { objects: 0 } },
      cost: { complete: true, totals: { USD: expect.any(Number) } },
    });
    expect(noted[0]).toContain("engine copy: Each object is copied onto itself");

    const { printed: tables } = await run(bridge, { dryRun: true, checkpoint });
    expect(tables[0]).toMatch(/to do\s*│\s*1 │\s*8 \(8 bytes\)/);
    expect(tables[1]).toMatch(/copy objects in place\s*│ aws\s*│\s*1 requests │\s*USD 0\.000005 │/);
    expect(tables[1]).toContain("list prices, without free tiers, taxes and discounts");
    expect(existsSync(`${checkpoint}.draft`)).toBe(false);
  }));

test("counts archived objects apart, but not those that are restored", () =>
  withFolder(async (folder) => {
    const bridge = new FakeBridge(pullRaw());
    for (const key of ["a", "b", "c"]) await bridge.put(key);
    bridge.from.setArchive("a", { storageClass: "GLACIER", restore: "none" });
    bridge.from.setArchive("b", { storageClass: "GLACIER", restore: "done" });
    const { printed } = await run(bridge, { dryRun: true, checkpoint: join(folder, "c.json"), json: true });
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({
      counts: { due: { objects: 2 }, archived: { objects: 1, bytes: 1 } },
      archived: [{ key: "a" }],
    });
  }));

const counts = (objects: number, bytes: number) => ({ ...noCounts(), due: { objects, bytes } });
const lineOf = (cost: ReturnType<typeof estimate>, item: string) => cost.lines.find((line) => line.item === item);

test("prices S3 Batch Operations: the job, its objects and its list", () => {
  const { config } = new FakeBridge(nativeRaw({ replication: { timeControl: true } }));
  const listed = { ...counts(2_000_000, 1e12), present: { objects: 2_000_000, bytes: 0 } };
  const cost = estimate({ config }, "batch", listed, DEFAULT_PRICES);
  expect(lineOf(cost, "S3 Batch Operations: job")).toMatchObject({ quantity: 1, cost: 0.25, currency: "USD" });
  expect(lineOf(cost, "S3 Batch Operations: objects")).toMatchObject({ quantity: 2_000_000, cost: 2 });
  expect(lineOf(cost, "S3 Batch Operations: list of objects")?.cost).toBeCloseTo(0.06);
  expect(lineOf(cost, "bytes to another region")).toMatchObject({ quantity: 1000, cost: 20 });
  expect(lineOf(cost, "replication time control")?.cost).toBeCloseTo(15);
  expect(lineOf(cost, "list the source")).toMatchObject({ quantity: 4000, cost: 0.02 });
  expect(lineOf(cost, "copy objects in place")).toBeUndefined();
  expect(cost.totals.USD).toBeCloseTo(cost.lines.reduce((sum, line) => sum + (line.cost ?? 0), 0));
});

test("prices no transfer within one region", () => {
  const { source } = nativeRaw() as { source: Record<string, unknown> };
  const { config } = new FakeBridge(nativeRaw({ destination: { ...source, bucket: "to-there" } }));
  expect(lineOf(estimate({ config }, "copy", counts(1, 1e9), DEFAULT_PRICES), "bytes to another region")).toBeUndefined();
});

test("in bridge mode prices transfer, requests, queue, functions and the endpoint, each side in its own currency", () => {
  const { config } = new FakeBridge(pullRaw());
  const cost = estimate({ config }, "bridge", counts(1000, 10e6), DEFAULT_PRICES);
  expect(lineOf(cost, "bytes out")).toMatchObject({ cloud: "aws", quantity: 0.01, currency: "USD" });
  expect(lineOf(cost, "bytes out")?.cost).toBeCloseTo(0.0009);
  expect(lineOf(cost, "queue")).toMatchObject({ quantity: 1000 + 2 * (1000 / BATCH_SIZE) });
  expect(lineOf(cost, "sender: calls")).toMatchObject({ quantity: 1000 / BATCH_SIZE });
  expect(lineOf(cost, "receiver's endpoint")).toMatchObject({ cloud: "aws-cn", quantity: 100, currency: "CNY" });
  expect(lineOf(cost, "destination: writes")).toMatchObject({ cloud: "aws-cn", quantity: 1000 });
  expect(Object.keys(cost.totals).sort()).toEqual(["CNY", "USD"]);
});

test("a price that is not in the list is unknown, not 0", () => {
  const { config } = new FakeBridge(pullRaw());
  const { writeRequest: _, ...rest } = DEFAULT_PRICES["aws-cn"];
  const cost = estimate({ config }, "bridge", counts(1000, 10e6), { ...DEFAULT_PRICES, "aws-cn": rest });
  expect(lineOf(cost, "destination: writes")).toMatchObject({ cloud: "aws-cn", unit: "requests", cost: undefined });
  expect(cost.complete).toBe(false);
});

test("with nothing to do, prices only the checks", () => {
  const { config } = new FakeBridge(pullRaw());
  const there = { ...noCounts(), present: { objects: 10, bytes: 1e9 } };
  const items = estimate({ config }, "bridge", there, DEFAULT_PRICES).lines.map(({ item }) => item);
  expect(items).toEqual(["list the source", "look at source objects", "look at destination objects"]);
});

test("every built-in price has a unit and a source", () => {
  for (const prices of Object.values(DEFAULT_PRICES)) {
    for (const [name, price] of Object.entries(prices)) {
      expect(price.unit).toBe(BILLED[name as Billed]);
      expect(priceSchema.parse(price)).toEqual(price);
    }
  }
});

test("--prices replaces single prices and keeps the others", () =>
  withFolder(async (folder) => {
    const path = join(folder, "prices.json");
    const writeRequest = { amount: 0.01, currency: "CNY", per: 10_000, unit: "requests", source: "our contract" };
    await writeFile(path, JSON.stringify({ "aws-cn": { writeRequest } }));
    const prices = await loadPrices(path);
    expect(prices["aws-cn"]).toEqual({ ...DEFAULT_PRICES["aws-cn"], writeRequest });
    expect(prices.aws).toEqual(DEFAULT_PRICES.aws);
    const { config } = new FakeBridge(pullRaw());
    expect(lineOf(estimate({ config }, "bridge", counts(10_000, 0), prices), "destination: writes")).toMatchObject({
      cost: 0.01,
      currency: "CNY",
      source: "our contract",
    });
  }));

test.each([
  ["no JSON", "{", "cannot be read as JSON"],
  ["an unknown cloud", JSON.stringify({ azure: {} }), "azure"],
  ["an unknown name", JSON.stringify({ aws: { writerequest: {} } }), "aws"],
  [
    "a price below zero",
    JSON.stringify({ aws: { batchJob: { ...DEFAULT_PRICES.aws.batchJob, amount: -1 } } }),
    "aws.batchJob.amount",
  ],
  [
    "no source",
    JSON.stringify({ aws: { batchJob: { amount: 1, currency: "USD", per: 1, unit: "jobs" } } }),
    "aws.batchJob.source",
  ],
])("--prices with %s is refused", (_name, content, message) =>
  withFolder(async (folder) => {
    const path = join(folder, "prices.json");
    await writeFile(path, content);
    await expect(loadPrices(path)).rejects.toThrow(message);
    await expect(loadPrices(path)).rejects.toBeInstanceOf(UsageError);
  }),
);

test("reads the destination for OSS, which reports no status of single objects", () =>
  withFolder(async (folder) => {
    const bridge = new FakeBridge(ossNativeRaw());
    const put = (store: typeof bridge.from, key: string, text: string) =>
      store.put(key, Buffer.from(text), { attributes: { headers: {}, metadata: {}, tags: {} }, sizeBytes: text.length });
    for (const key of ["missing", "other", "same"]) await put(bridge.from, key, "text");
    for (const key of ["other", "same"]) await put(bridge.to, key, key === "same" ? "text" : "tex2");
    const checkpoint = join(folder, "c.json");
    const { printed } = await run(bridge, { dryRun: true, checkpoint, json: true });
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({ counts: { due: { objects: 2 }, present: { objects: 1 } } });
  }));

const OPTIONS: BackfillOptions = { stack: "dev", prefix: "", engine: "auto", concurrency: 16, report: "failed" };

test.each<[Partial<BackfillOptions>, string]>([
  [{}, "there is nobody to ask: say --yes"],
  [{ dryRun: true, maxBytes: 1 }, "a dry run puts nothing to work"],
  [{ yes: true, prices: "p.json" }, "--prices is for --dry-run"],
  [{ yes: true, job: "j", engine: "copy" }, "--job watches"],
  [{ dryRun: true, job: "j" }, "--job watches"],
])("%j is refused before the bridge is opened", (options, message) => {
  expect(() => assertOptions({ ...OPTIONS, ...options }, { interactive: false })).toThrow(message);
});

test("asks the operator before the first object; the answer no changes nothing", async () => {
  const bridge = new FakeBridge(pullRaw());
  await bridge.put("a");
  await withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    const asked: string[] = [];
    const deps = { confirm: async (question: string) => asked.push(question) === 0 };
    const { exitCode } = await run(bridge, { yes: undefined as never, checkpoint, deps });
    expect(exitCode).toBe(1);
    expect(asked).toEqual(["Go through from-here/? (--dry-run counts and prices it)"]);
    // Only the look at the bucket itself.
    expect(bridge.from.calls.list).toBe(1);
    expect(existsSync(checkpoint)).toBe(false);
  });
});

test("--max-bytes with a job is refused, because S3 reports no sizes in advance", async () => {
  const bridge = new FakeBridge(nativeRaw());
  bridge.outputs = { ...bridge.outputs, backfillRoleArn: "arn:aws:iam::111122223333:role/backfill" };
  await expect(run(bridge, { maxBytes: 1 })).rejects.toThrow("take --engine copy to stay within a budget");
});
