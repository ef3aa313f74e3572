import { inspect } from "node:util";
import { createSecretCache } from "../../../runtime/platforms/secret-cache";
import { VirtualTime } from "../../support/virtual-time";
import { recordingLogger } from "../support/recording-logger";

function setUp() {
  const clock = new VirtualTime();
  const logger = recordingLogger();
  const store = { value: "one", down: false, reads: 0 };
  const source = createSecretCache({
    load: async () => {
      store.reads += 1;
      if (store.down) throw new Error("the store is down");
      return store.value;
    },
    parse: (text) => ({ text }),
    clock,
    logger,
  });
  return { clock, logger, store, source };
}

test("one read serves for a minute", async () => {
  const { clock, store, source } = setUp();
  await source();
  clock.advance(59_999);
  expect(await source()).toEqual({ text: "one" });
  expect(store.reads).toBe(1);
  store.value = "two";
  clock.advance(1);
  expect(await source()).toEqual({ text: "two" });
  expect(store.reads).toBe(2);
});

test("refresh reads at once, but at most every five seconds", async () => {
  const { clock, store, source } = setUp();
  await source();
  clock.advance(5_000);
  store.value = "two";
  expect(await source({ refresh: true })).toEqual({ text: "two" });
  store.value = "three";
  for (let flood = 0; flood < 1000; flood++) expect(await source({ refresh: true })).toEqual({ text: "two" });
  expect(store.reads).toBe(2);
  clock.advance(5_000);
  expect(await source({ refresh: true })).toEqual({ text: "three" });
});

test("callers at the same time share one read", async () => {
  const { store, source } = setUp();
  const values = await Promise.all([source(), source(), source({ refresh: true })]);
  expect(values).toEqual([{ text: "one" }, { text: "one" }, { text: "one" }]);
  expect(store.reads).toBe(1);
});

test("while the store is down, the last value is returned and reads are limited", async () => {
  const { clock, logger, store, source } = setUp();
  await source();
  store.down = true;
  clock.advance(60_000);
  expect(await source()).toEqual({ text: "one" });
  expect(await source()).toEqual({ text: "one" });
  expect(store.reads).toBe(2);
  expect(logger.lines).toMatchObject([{ level: "warn", fields: { servingCached: true } }]);
  clock.advance(5_000);
  store.down = false;
  store.value = "two";
  expect(await source()).toEqual({ text: "two" });
});

test("a cached value ends after 15 minutes without the store", async () => {
  const { clock, store, source } = setUp();
  await source();
  store.down = true;
  clock.advance(900_000);
  expect(await source()).toEqual({ text: "one" });
  clock.advance(5_001);
  await expect(source()).rejects.toThrow("the secret cannot be read");
});

test("without a value, the error has its cause, and the next read waits", async () => {
  const { clock, store, source } = setUp();
  store.down = true;
  await expect(source()).rejects.toMatchObject({ message: "the secret cannot be read", cause: new Error("the store is down") });
  await expect(source()).rejects.toThrow("the secret cannot be read");
  expect(store.reads).toBe(1);
  store.down = false;
  clock.advance(5_000);
  expect(await source()).toEqual({ text: "one" });
});

test("an unusable value counts as a failed read and appears in no error or log line", async () => {
  const logger = recordingLogger();
  const source = createSecretCache({
    load: async () => "very-secret",
    parse: () => {
      throw new Error("signing secret 1 of 1 cannot be used");
    },
    clock: new VirtualTime(),
    logger,
  });
  const error = await source().catch((caught: unknown) => caught);
  expect(inspect([error, logger.lines], { depth: 9 })).not.toContain("very-secret");
  expect(inspect(error)).toContain("signing secret 1 of 1 cannot be used");
});
