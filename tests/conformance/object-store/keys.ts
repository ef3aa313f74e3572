import { type Context, collect, expectKind, putText, readText } from "./context";

/** Names that are used below a fresh prefix. */
const NAMES: readonly string[] = [
  "a b",
  "a+b",
  "a%20b",
  "a%2Fb",
  "a//b",
  "//",
  "dir/",
  " leading and trailing ",
  "中文/文件.txt",
  "🌉/🇨🇳",
  "\"quoted\" 'single' `back`",
  "<>&;#?",
  "a=b&c=d",
  "back\\slash",
  "tab\tnewline\ncontrol\u0001",
  "tilde~star*(paren)!",
  "é", // decomposed and composed forms are two keys
  "e\u0301",
  "UPPER",
  "upper",
  "$@^|[]{}",
];
const FIRST: readonly string[] = [
  "/leading-slash",
  "//two",
  " leading-space",
  ".hidden",
  "..dots",
  "?query",
  "#fragment",
  "%2e%2e",
];
const DOTS: readonly string[] = ["a/./b", "a/../b", "./a", "../a", "a/..", "."];

export function keyChecks(context: Context): void {
  const { check, freshKey, capabilities } = context;

  async function expectExact(key: string): Promise<void> {
    await putText(context, key, `of ${key}`, { attributes: { headers: {}, metadata: { a: "1" }, tags: { t: "1" } } });
    expect(await readText(context, key)).toBe(`of ${key}`);
    expect((await context.store.head(key))?.metadata).toEqual({ a: "1" });
    expect(await context.store.getTags(key)).toEqual({ t: "1" });
    const listed = await collect(context.store.list(key));
    expect(listed.map((object) => object.key)).toContain(key);
    const url = await context.store.presignGet(key, { expiresInSeconds: 60 });
    const response = await context.subject.fetch(url, {});
    expect({ status: response.status, body: response.body.toString() }).toEqual({ status: 200, body: `of ${key}` });
    const { uploadId } = await context.store.createUpload(key, { attributes: { headers: {}, metadata: {}, tags: {} } });
    const part = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.from("parts"));
    expect(await context.store.listParts(key, uploadId)).toMatchObject([{ partNumber: 1 }]);
    await context.store.completeUpload(key, uploadId, [part]);
    expect(await readText(context, key)).toBe("parts");
    await context.store.delete(key);
    expect(await context.store.head(key)).toBeUndefined();
  }

  for (const name of NAMES) check(`key-${name}`, `exact: ${JSON.stringify(name)}`, () => expectExact(freshKey(name)));
  for (const name of [...FIRST, ...DOTS])
    check(`key-${name}`, `exact from its first byte: ${JSON.stringify(name)}`, () => expectExact(name));

  check("key-longest", "a key of maxKeyBytes is exact, one byte more is Invalid", async () => {
    for (const unit of ["x", "中"]) {
      const start = freshKey(unit);
      const room = capabilities.maxKeyBytes - Buffer.byteLength(start);
      const width = Buffer.byteLength(unit);
      const key = start + unit.repeat(Math.floor(room / width)) + "y".repeat(room % width);
      expect(Buffer.byteLength(key)).toBe(capabilities.maxKeyBytes);
      await expectExact(key);
      await expectKind(putText(context, `${key}z`, "x"), "Invalid");
    }
  });

  check("key-invalid", "the empty key and one without a UTF-8 form are Invalid", async () => {
    for (const key of ["", "half \ud83c pair"]) {
      await expectKind(putText(context, key, "x"), "Invalid");
      await expectKind(context.store.head(key), "Invalid");
      await expectKind(context.store.get(key), "Invalid");
      await expectKind(context.store.delete(key), "Invalid");
      await expectKind(context.store.presignGet(key, { expiresInSeconds: 60 }), "Invalid");
    }
  });

  check("key-distinct", "keys that look alike are different objects", async () => {
    const base = freshKey("same");
    const keys = [base, `${base}/`, `${base}//`, `${base} `, base.toUpperCase(), `${base}%20`, `${base}+`, `/${base}`];
    for (const [index, key] of keys.entries()) await putText(context, key, `${index}`);
    for (const [index, key] of keys.entries()) expect(await readText(context, key)).toBe(`${index}`);
  });
}
