/** `cost`: the model's figures for a stack's settings. */

import { inUsd } from "../../../cost/model";
import { DEFAULT_PRICES } from "../../../cost/prices";
import { costLines } from "../../../cost/summary";
import { costOf, showCost } from "../../../operator/cost/command";
import { FakeBridge, nativeRaw, pullRaw } from "../backfill/fixture";
import { runOn } from "../context";

const LOAD = { stack: "dev", objects: 1_000_000, bytes: 1e10, months: 1 };

test("shows each line with its price and source, and the load", async () => {
  const bridge = new FakeBridge(pullRaw());
  const { exitCode, printed, noted } = await runOn(bridge, (context) => showCost(context, LOAD));
  expect(exitCode).toBe(0);
  expect(printed.join("\n")).toMatch(/tick: calls[\s\S]*About .*list prices/);
  expect(noted).toEqual(["for 1,000,000 objects of 9.3 GiB together in one month, besides the storage of the replicas"]);
});

test("months multiply every line, and a load of nothing new costs what the preview says", async () => {
  const { config } = new FakeBridge(pullRaw());
  const one = inUsd(costOf(config, LOAD, DEFAULT_PRICES).totals);
  expect(inUsd(costOf(config, { ...LOAD, months: 12 }, DEFAULT_PRICES).totals)).toBeCloseTo(12 * one, 6);
  expect(costLines(config)[0]).toMatch(/1 million objects of 10 KB/);
});

test("--json prints one line", async () => {
  const { printed } = await runOn(new FakeBridge(nativeRaw()), (context) => showCost(context, LOAD), { json: true });
  expect(printed).toHaveLength(1);
  expect(JSON.parse(printed[0] ?? "")).toMatchObject({ command: "cost", objects: 1_000_000, months: 1, complete: true });
});
