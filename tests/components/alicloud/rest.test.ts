import * as pulumi from "@pulumi/pulumi";
import { afterRest, restMs } from "../../../components/alicloud/rest";
import { settled } from "../../support/record-resources";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const at = (offsetSeconds: number) => new Date(NOW + offsetSeconds * 1000).toISOString();

test.each([
  ["a resource of this deployment", [at(-2)], 30_000],
  ["one that was made while the deployment was throttled", [at(-80)], 30_000],
  ["one of an earlier deployment", [at(-91)], 0],
  ["an old role with a new policy", [at(-3600), at(-1)], 30_000],
  ["a log store, whose time is a number", [NOW / 1000 - 1], 30_000],
  ["an old log store", [NOW / 1000 - 100], 0],
  ["a clock here that is behind", [at(20)], 30_000],
  ["a provider that says no time", [undefined, ""], 0],
])("%s", (_, times, expected) => {
  expect(restMs(times, { nowMs: NOW, seconds: 30 })).toBe(expected);
});

describe("a value that waits", () => {
  const fresh = pulumi.output<string | undefined>(new Date().toISOString());
  const value = pulumi.output("arn");

  test("is there at once where no rest is wanted", async () => {
    expect(afterRest(value, { created: [fresh], after: [], seconds: 0 })).toBe(value);
  });

  test("comes after the rest", async () => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate"] });
    try {
      const waiting = jest.fn();
      afterRest(value, { created: [pulumi.output<string | undefined>(new Date().toISOString())], after: [], seconds: 30 }).apply(
        waiting,
      );
      await new Promise(setImmediate);
      expect(waiting).not.toHaveBeenCalled();
      await jest.advanceTimersByTimeAsync(30_000);
      expect(waiting).toHaveBeenCalledWith("arn");
    } finally {
      jest.useRealTimers();
    }
  });

  test("comes at once for old resources", async () => {
    const old = pulumi.output<string | undefined>("2020-01-01T00:00:00Z");
    expect(await settled(afterRest(value, { created: [old], after: [], seconds: 30 }))).toBe("arn");
  });
});
