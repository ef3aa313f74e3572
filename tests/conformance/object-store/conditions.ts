import { type Context, expectKind, NO_ATTRIBUTES, putText, readText, someBytes, streamOf } from "./context";

const OTHER_ETAG = "0".repeat(32);
const LARGE = 3 * 1024 ** 2;

export function conditionChecks(context: Context): void {
  const { check, freshKey, capabilities } = context;

  async function readyUpload(key: string) {
    const { uploadId } = await context.store.createUpload(key, { attributes: NO_ATTRIBUTES });
    const part = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.from("uploaded"));
    return { uploadId, parts: [part] };
  }

  check("contradiction", "ifMatch together with ifAbsent is refused", async () => {
    const condition = { ifMatch: OTHER_ETAG, ifAbsent: true } as const;
    await expectKind(putText(context, freshKey(), "x", { condition }), "Invalid", "Unsupported");
  });

  if (capabilities.conditionalCreate) {
    check("put-if-absent", "put with ifAbsent writes where no object exists, and is refused where one exists", async () => {
      const key = freshKey();
      const { etag } = await putText(context, key, "first", { condition: { ifAbsent: true } });
      await expectKind(putText(context, key, "second", { condition: { ifAbsent: true } }), "PreconditionFailed");
      const body = streamOf(someBytes(LARGE));
      const large = { attributes: NO_ATTRIBUTES, sizeBytes: LARGE, condition: { ifAbsent: true } } as const;
      await expectKind(context.store.put(key, body, large), "PreconditionFailed");
      expect(body.destroyed).toBe(true);
      expect(await readText(context, key)).toBe("first");
      expect((await context.store.head(key))?.etag).toBe(etag);
    });

    check("put-if-absent-after-delete", "put with ifAbsent writes after a delete", async () => {
      const key = freshKey();
      await putText(context, key, "first");
      await context.store.delete(key);
      await putText(context, key, "second", { condition: { ifAbsent: true } });
      expect(await readText(context, key)).toBe("second");
    });

    check("put-if-absent-race", "exactly one of many concurrent puts with ifAbsent wins", async () => {
      const key = freshKey();
      const texts = Array.from({ length: 8 }, (_, index) => `writer ${index}`);
      const outcomes = await Promise.allSettled(
        texts.map((text) => putText(context, key, text, { condition: { ifAbsent: true } })),
      );
      const winners = texts.filter((_, index) => outcomes[index]?.status === "fulfilled");
      expect(winners).toHaveLength(1);
      expect(await readText(context, key)).toBe(winners[0]);
    });
  } else {
    check("put-if-absent", "put with ifAbsent is Unsupported and writes nothing", async () => {
      const key = freshKey();
      await expectKind(putText(context, key, "x", { condition: { ifAbsent: true } }), "Unsupported");
      expect(await context.store.head(key)).toBeUndefined();
    });
  }

  if (!capabilities.conditionalWrites) {
    check("if-match", "put, completeUpload and delete with ifMatch are Unsupported and change nothing", async () => {
      const key = freshKey();
      const { etag } = await putText(context, key, "old");
      const condition = { ifMatch: etag };
      await expectKind(putText(context, key, "new", { condition }), "Unsupported");
      const { uploadId, parts } = await readyUpload(key);
      await expectKind(context.store.completeUpload(key, uploadId, parts, { condition }), "Unsupported");
      await expectKind(context.store.completeUpload(key, uploadId, parts, { condition: { ifAbsent: true } }), "Unsupported");
      await context.store.abortUpload(key, uploadId);
      await expectKind(context.store.delete(key, { condition }), "Unsupported");
      expect(await readText(context, key)).toBe("old");
    });
    return;
  }

  check("put-if-match", "put with ifMatch writes over that etag, and is refused over any other", async () => {
    const key = freshKey();
    const { etag } = await putText(context, key, "one");
    await putText(context, key, "two", { condition: { ifMatch: etag } });
    expect(await readText(context, key)).toBe("two");
    await expectKind(putText(context, key, "three", { condition: { ifMatch: etag } }), "PreconditionFailed");
    expect(await readText(context, key)).toBe("two");
  });

  check("put-if-match-missing", "put with ifMatch writes nothing where no object exists", async () => {
    const key = freshKey();
    await expectKind(putText(context, key, "x", { condition: { ifMatch: OTHER_ETAG } }), "PreconditionFailed");
    expect(await context.store.head(key)).toBeUndefined();
  });

  check(
    "complete-if-absent",
    "completeUpload with ifAbsent is refused where an object exists, and writes where none exists",
    async () => {
      const [taken, free] = [freshKey(), freshKey()];
      await putText(context, taken, "old");
      const refused = await readyUpload(taken);
      const condition = { ifAbsent: true } as const;
      await expectKind(context.store.completeUpload(taken, refused.uploadId, refused.parts, { condition }), "PreconditionFailed");
      expect(await readText(context, taken)).toBe("old");
      await context.store.abortUpload(taken, refused.uploadId);
      const accepted = await readyUpload(free);
      await context.store.completeUpload(free, accepted.uploadId, accepted.parts, { condition });
      expect(await readText(context, free)).toBe("uploaded");
    },
  );

  check("complete-if-match", "completeUpload with ifMatch writes over that etag, and is refused over any other", async () => {
    const key = freshKey();
    const { etag } = await putText(context, key, "old");
    const refused = await readyUpload(key);
    const wrong = { condition: { ifMatch: OTHER_ETAG } };
    await expectKind(context.store.completeUpload(key, refused.uploadId, refused.parts, wrong), "PreconditionFailed");
    expect(await readText(context, key)).toBe("old");
    await context.store.completeUpload(key, refused.uploadId, refused.parts, { condition: { ifMatch: etag } });
    expect(await readText(context, key)).toBe("uploaded");
  });

  check("delete-if-match", "delete with ifMatch deletes that etag, and is refused for any other", async () => {
    const key = freshKey();
    const { etag } = await putText(context, key, "x");
    await expectKind(context.store.delete(key, { condition: { ifMatch: OTHER_ETAG } }), "PreconditionFailed");
    expect(await readText(context, key)).toBe("x");
    await context.store.delete(key, { condition: { ifMatch: etag } });
    expect(await context.store.head(key)).toBeUndefined();
  });

  check("delete-if-match-missing", "delete with ifMatch of a missing key succeeds or is PreconditionFailed", async () => {
    const deleted = context.store.delete(freshKey(), { condition: { ifMatch: OTHER_ETAG } });
    await deleted.catch((error: unknown) => expectKind(Promise.reject(error), "PreconditionFailed"));
  });
}
