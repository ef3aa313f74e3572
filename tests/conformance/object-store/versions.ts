import { type Context, expectKind, putText, readText } from "./context";

export function versionChecks(context: Context): void {
  const { check, freshKey, capabilities } = context;

  check("delete-version-or-etag", "delete of a version with ifMatch is refused and removes nothing", async () => {
    const key = freshKey();
    const { etag } = await putText(context, key, "kept");
    const options = { condition: { ifMatch: etag }, versionId: "any" };
    await expectKind(context.store.delete(key, options), ...(["Invalid", "Unsupported"] as const));
    expect(await readText(context, key)).toBe("kept");
  });

  if (!context.versioned) {
    check("no-versions", "a bucket that keeps no versions reports none", async () => {
      const key = freshKey();
      expect((await putText(context, key, "x")).versionId).toBeUndefined();
      expect((await context.store.touch(key)).versionId).toBeUndefined();
      expect((await context.store.head(key))?.versionId).toBeUndefined();
    });
    return;
  }

  async function putVersion(key: string, text: string): Promise<string> {
    const { versionId } = await putText(context, key, text);
    if (versionId === undefined) throw new Error("the bucket tells no version");
    return versionId;
  }

  check("delete-version-current", "deleting the current version brings the one before it back, with no marker", async () => {
    const key = freshKey();
    const first = await putVersion(key, "first");
    const second = await putVersion(key, "second");
    await context.store.delete(key, { versionId: second });
    expect(await readText(context, key)).toBe("first");
    expect((await context.store.head(key))?.versionId).toBe(first);
  });

  check("delete-version-older", "deleting an older version leaves the current one alone", async () => {
    const key = freshKey();
    const first = await putVersion(key, "first");
    const second = await putVersion(key, "second");
    await context.store.delete(key, { versionId: first });
    expect((await context.store.head(key))?.versionId).toBe(second);
    await context.store.delete(key, { versionId: second });
    expect(await context.store.head(key)).toBeUndefined();
  });

  check("delete-version-hidden", "a version under a delete marker can be deleted, and stays deleted", async () => {
    const key = freshKey();
    const versionId = await putVersion(key, "hidden");
    await context.store.delete(key);
    await context.store.delete(key, { versionId });
    expect(await context.store.head(key)).toBeUndefined();
    await expectKind(context.store.get(key), "NotFound");
  });

  check("delete-version-gone", "deleting a version that is gone succeeds and touches no other", async () => {
    const key = freshKey();
    const first = await putVersion(key, "first");
    const second = await putVersion(key, "second");
    await context.store.delete(key, { versionId: second });
    await context.store.delete(key, { versionId: second });
    expect((await context.store.head(key))?.versionId).toBe(first);
    await context.store.delete(key, { versionId: first });
    await context.store.delete(key, { versionId: first });
    expect(await context.store.head(key)).toBeUndefined();
  });

  if (capabilities.conditionalWrites)
    check("delete-version-then-create", "after its only version was deleted a key counts as absent", async () => {
      const key = freshKey();
      await context.store.delete(key, { versionId: await putVersion(key, "once") });
      await putText(context, key, "again", { condition: { ifAbsent: true } });
      expect(await readText(context, key)).toBe("again");
    });
}
