import { once } from "node:events";
import { PassThrough } from "node:stream";
import { type Context, collect, expectKind, NO_ATTRIBUTES, putText, readText, someBytes } from "./context";

const LARGE = 3 * 1024 ** 2;

export function signalChecks(context: Context): void {
  const { check, freshKey } = context;

  check("aborted-before", "with an aborted signal every method is Unavailable and changes nothing", async () => {
    const signal = AbortSignal.abort();
    const key = freshKey();
    await putText(context, key, "old");
    const before = await context.store.head(key);
    const { uploadId } = await context.store.createUpload(key, { attributes: NO_ATTRIBUTES });
    const part = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.from("x"));
    await expectKind(context.store.head(key, { signal }), "Unavailable");
    await expectKind(context.store.get(key, { signal }), "Unavailable");
    await expectKind(context.store.getTags(key, { signal }), "Unavailable");
    await expectKind(context.store.putTags(key, { a: "1" }, { signal }), "Unavailable");
    await expectKind(putText(context, key, "new", { signal }), "Unavailable");
    await expectKind(context.store.delete(key, { signal }), "Unavailable");
    await expectKind(context.store.touch(key, { signal }), "Unavailable");
    await expectKind(context.store.createUpload(key, { attributes: NO_ATTRIBUTES, signal }), "Unavailable");
    await expectKind(context.store.uploadPart(key, { uploadId, partNumber: 2 }, Buffer.from("y"), { signal }), "Unavailable");
    await expectKind(context.store.listParts(key, uploadId, { signal }), "Unavailable");
    await expectKind(context.store.completeUpload(key, uploadId, [part], { signal }), "Unavailable");
    await expectKind(context.store.abortUpload(key, uploadId, { signal }), "Unavailable");
    await expectKind(collect(context.store.list(key, { signal })), "Unavailable");
    expect(await readText(context, key)).toBe("old");
    expect(await context.store.head(key)).toEqual(before);
    expect(await context.store.getTags(key)).toEqual({});
    expect(await context.store.listParts(key, uploadId)).toHaveLength(1);
  });

  for (const sizeBytes of [1000, LARGE]) {
    check(
      `abort-put-${sizeBytes}`,
      `aborting a put of ${sizeBytes} bytes half-way leaves nothing visible and destroys the body`,
      async () => {
        const key = freshKey();
        const controller = new AbortController();
        const body = new PassThrough();
        const outcome = expectKind(
          context.store.put(key, body, { attributes: NO_ATTRIBUTES, sizeBytes, signal: controller.signal }),
          "Unavailable",
        );
        // Once the half is drained, the put is under way and waits for the rest.
        if (!body.write(someBytes(sizeBytes / 2))) await once(body, "drain");
        controller.abort();
        await outcome;
        expect(body.destroyed).toBe(true);
        expect(await context.store.head(key)).toBeUndefined();
      },
    );
  }

  check("abort-get", "aborting a get ends its body with an error", async () => {
    const key = freshKey();
    const bytes = someBytes(8 * 1024 ** 2);
    await context.store.put(key, bytes, { attributes: NO_ATTRIBUTES, sizeBytes: bytes.length });
    const controller = new AbortController();
    const { body } = await context.store.get(key, { signal: controller.signal });
    const failed = once(body, "error");
    controller.abort();
    body.resume();
    await failed;
    expect(body.destroyed).toBe(true);
  });

  check("abort-list", "aborting a listing between pages ends it", async () => {
    const controller = new AbortController();
    const listing = context.store.list(freshKey(), { signal: controller.signal })[Symbol.asyncIterator]();
    controller.abort();
    await expectKind(listing.next(), "Unavailable");
  });

  check("destroyed-body", "a body that its reader destroys does no harm", async () => {
    const key = freshKey();
    await putText(context, key, "x".repeat(100_000));
    for (let round = 0; round < 5; round++) (await context.store.get(key)).body.destroy();
    expect(await readText(context, key)).toHaveLength(100_000);
  });
}
