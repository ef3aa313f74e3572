/** What the layer around every adapter adds to its calls. */
import { Readable } from "node:stream";
import { CheckedStore } from "../../../runtime/stores/checked-store";
import { BridgeError, retryAfterOf } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import type { ObjectStore } from "../../../runtime/stores/object-store";

const plain = { headers: {}, metadata: {}, tags: {} };
const failing = () => Promise.reject(new BridgeError("Unavailable", "any", "it answered with ECONNREFUSED"));

function named(adapter: Partial<ObjectStore>, answerMs?: number): CheckedStore {
  const memory = new MemoryStore({ clock: { now: () => 0 } });
  const whole = new Proxy(memory, { get: (target, name) => Reflect.get(adapter, name) ?? Reflect.get(target, name) });
  return new CheckedStore(whole, { name: "my-bucket", answerMs });
}

const calls: Record<string, (store: ObjectStore) => Promise<unknown>> = {
  head: (store) => store.head("k"),
  getTags: (store) => store.getTags("k"),
  putTags: (store) => store.putTags("k", {}),
  get: (store) => store.get("k"),
  put: (store) => store.put("k", Buffer.from("x"), { sizeBytes: 1, attributes: plain }),
  delete: (store) => store.delete("k"),
  touch: (store) => store.touch("k"),
  createUpload: (store) => store.createUpload("k", { attributes: plain }),
  uploadPart: (store) => store.uploadPart("k", { uploadId: "u", partNumber: 1 }, Buffer.from("x")),
  listParts: (store) => store.listParts("k", "u"),
  completeUpload: (store) => store.completeUpload("k", "u", [{ partNumber: 1, sizeBytes: 1, etag: "e" }]),
  abortUpload: (store) => store.abortUpload("k", "u"),
  list: async (store) => {
    for await (const _object of store.list("")) break;
  },
  presignGet: (store) => store.presignGet("k", { expiresInSeconds: 1 }),
};

test.each(Object.keys(calls))("an error of %s names the store", async (op) => {
  // biome-ignore lint/correctness/useYield: a listing that fails before its first object
  const list = async function* (): AsyncIterable<never> {
    await failing();
  };
  const store = named(op === "list" ? { listPages: list } : { [op]: failing });
  await expect(calls[op]?.(store)).rejects.toMatchObject({
    message: "my-bucket: it answered with ECONNREFUSED",
    store: "my-bucket",
  });
});

test("an error of a body names the store", async () => {
  const body = new Readable({ read: () => undefined });
  const store = named({ get: async () => ({ head: { etag: "e", sizeBytes: 1 } as never, body }) });
  const opened = await store.get("k");
  const failure = new Promise((resolve) => opened.body.once("error", resolve));
  body.destroy(new BridgeError("Unavailable", "read", "it broke off"));
  expect(await failure).toMatchObject({ message: "my-bucket: it broke off" });
});

const hanging = (...args: unknown[]) =>
  new Promise<never>((_resolve, reject) => {
    const { signal } = args.at(-1) as { signal: AbortSignal };
    signal.addEventListener("abort", () => reject(new BridgeError("Unavailable", "any", "aborted")));
  });

test.each(["head", "getTags", "putTags", "get", "delete", "createUpload", "abortUpload"])(
  "%s is given up when it is not answered in time",
  async (op) => {
    await expect(calls[op]?.(named({ [op]: hanging }, 20))).rejects.toMatchObject({
      kind: "Unavailable",
      op,
      message: `my-bucket: it did not answer ${op} within 0.02 s`,
    });
  },
);

test("a caller that gives up first gets the error of its own signal", async () => {
  const caller = new AbortController();
  const call = named({ head: hanging }, 60_000).head("k", { signal: caller.signal });
  caller.abort();
  await expect(call).rejects.toThrow("my-bucket: aborted");
});

test("a body that is read longer than that is not given up", async () => {
  const store = named({}, 20);
  await store.put("k", Buffer.from("hello"), { sizeBytes: 5, attributes: plain });
  const { body } = await store.get("k");
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(Buffer.concat(await body.toArray()).toString()).toBe("hello");
});

test.each([
  ["7", 7],
  ["99999", 86_400],
  ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
  [undefined, undefined],
])("Retry-After %s is %s seconds", (header, seconds) => {
  expect(retryAfterOf(header)).toBe(seconds);
});
