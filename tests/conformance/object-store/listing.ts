import { type Context, collect, putText } from "./context";

/** In the order of their UTF-8 bytes. Their UTF-16 order differs. */
const ORDERED = ["A", "a", "a b", "a!", "a+b", "a/", "a/b", "a0", "aa", "é", "\uff5e", "😀"];

export function listingChecks(context: Context): void {
  const { check, freshKey } = context;

  check("list-empty", "a prefix without objects lists nothing", async () => {
    expect(await collect(context.store.list(freshKey()))).toEqual([]);
  });

  check("list-order", "a listing is ordered by UTF-8 bytes, and reports size, etag and lastModified", async () => {
    const prefix = freshKey("order/");
    for (const name of [...ORDERED].reverse()) await putText(context, prefix + name, name);
    const listed = await collect(context.store.list(prefix));
    expect(listed.map(({ key }) => key.slice(prefix.length))).toEqual(ORDERED);
    for (const object of listed) {
      const head = await context.store.head(object.key);
      expect(object).toMatchObject({ sizeBytes: head?.sizeBytes, etag: head?.etag });
      expect(Math.floor(object.lastModified.getTime() / 1000)).toBe(Math.floor((head?.lastModified.getTime() ?? 0) / 1000));
    }
  });

  check("list-prefix", "a prefix is bytes, not a folder", async () => {
    const prefix = freshKey("pre");
    for (const name of ["", "fix", "/x", "%2Fx"]) await putText(context, prefix + name, "x");
    await putText(context, freshKey("other"), "x");
    expect((await collect(context.store.list(prefix))).map(({ key }) => key)).toEqual([
      prefix,
      `${prefix}%2Fx`,
      `${prefix}/x`,
      `${prefix}fix`,
    ]);
    expect((await collect(context.store.list(`${prefix}%`))).map(({ key }) => key)).toEqual([`${prefix}%2Fx`]);
  });

  check("list-start-after", "startAfter leaves out everything up to it, whether it exists or not", async () => {
    const prefix = freshKey("after/");
    for (const name of ["a", "b b", "c+", "d"]) await putText(context, prefix + name, "x");
    const after = async (name: string) =>
      (await collect(context.store.list(prefix, { startAfter: prefix + name }))).map(({ key }) => key.slice(prefix.length));
    expect(await after("a")).toEqual(["b b", "c+", "d"]);
    expect(await after("b b")).toEqual(["c+", "d"]);
    expect(await after("bb")).toEqual(["c+", "d"]);
    expect(await after("d")).toEqual([]);
  });

  check("list-deleted", "deleted objects and open uploads are not listed", async () => {
    const prefix = freshKey("gone/");
    await putText(context, `${prefix}a`, "x");
    await putText(context, `${prefix}b`, "x");
    await context.store.delete(`${prefix}a`);
    await context.store.createUpload(`${prefix}c`, { attributes: { headers: {}, metadata: {}, tags: {} } });
    expect((await collect(context.store.list(prefix))).map(({ key }) => key)).toEqual([`${prefix}b`]);
  });

  check(
    "list-pages",
    "a listing longer than one page is complete, without gaps or repeats, and may be left early",
    async () => {
      const prefix = freshKey("pages/");
      const keys = Array.from({ length: 2050 }, (_, index) => `${prefix}${String(index).padStart(4, "0")} +`);
      const waiting = [...keys];
      const writer = async () => {
        for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) await putText(context, key, "x");
      };
      await Promise.all(Array.from({ length: 16 }, writer));
      const seen: string[] = [];
      for await (const { key } of context.store.list(prefix)) {
        seen.push(key);
        if (seen.length === 3) break;
      }
      expect(seen).toEqual(keys.slice(0, 3));
      expect((await collect(context.store.list(prefix))).map(({ key }) => key)).toEqual(keys);
      const pages = await collect(context.store.listPages(prefix));
      expect(pages.length).toBeGreaterThan(1);
      expect(pages.flat().map(({ key }) => key)).toEqual(keys);
      const rest = await collect(context.store.list(prefix, { startAfter: keys[999] as string }));
      expect(rest.map(({ key }) => key)).toEqual(keys.slice(1000));
    },
    120_000,
  );
}
