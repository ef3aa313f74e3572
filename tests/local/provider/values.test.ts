import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { zipOf } from "../../../local/provider/archive";
import { fromEmulator, toEmulator } from "../../../local/provider/aws/partitions";
import { type ArchiveValue, decode, encode, type Properties, sameValue, UNKNOWN } from "../../../local/provider/values";

// The wire library itself loses a member of this name.
const name = fc.string().filter((text) => text !== "__proto__");
const property: fc.Memo<unknown> = fc.memo((depth) =>
  depth <= 1
    ? fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(UNKNOWN))
    : fc.oneof(property(1), fc.array(property(depth - 1)), fc.dictionary(name, property(depth - 1))),
);
const properties = fc.dictionary(name, property(3)) as fc.Arbitrary<Properties>;

describe("property values", () => {
  test("are equal after encoding and decoding", () => {
    fc.assert(
      fc.property(properties, (value) => {
        const again = decode(encode(value));
        expect(again).toEqual(value);
      }),
    );
  });

  test("equal themselves, unless unknown", () => {
    fc.assert(
      fc.property(properties, (value) => {
        const known = JSON.parse(JSON.stringify(value)) as Properties;
        expect(sameValue(known, structuredClone(known))).toBe(true);
      }),
    );
    expect(sameValue({ a: UNKNOWN }, { a: "x" })).toBe(false);
  });

  test.each([
    ["a list in another order", [1, 2], [2, 1], false],
    ["an entry more", { a: 1 }, { a: 1, b: 2 }, false],
    ["undefined and absent", { a: 1, b: undefined }, { a: 1 }, true],
    ["JSON in another spelling", '{"a": 1}', '{"a":1}', true],
    ["JSON that differs", '{"a": 1}', '{"a":2}', false],
    ["texts", "a", "a ", false],
  ])("%s", (_, a, b, same) => {
    expect(sameValue(a, b)).toBe(same);
  });

  test("a secret is decoded to its value, and null is left out", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "x" };
    const struct = Struct.fromJavaScript({ secret, nothing: null });
    expect(decode(struct)).toEqual({ secret: "x" });
  });
});

test("ARNs of aws-cn are translated to aws for the emulator, and back", () => {
  const policy = { Resource: ["arn:aws-cn:s3:::b", "arn:aws-cn:s3:::b/*"], note: "not an arn" };
  expect(toEmulator(policy)).toEqual({ Resource: ["arn:aws:s3:::b", "arn:aws:s3:::b/*"], note: "not an arn" });
  expect(fromEmulator(toEmulator(policy), "aws-cn")).toEqual(policy);
  expect(fromEmulator({ arn: "arn:aws:s3:::b" }, "aws")).toEqual({ arn: "arn:aws:s3:::b" });
});

describe("archives", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "archive-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Reads the zip file with another implementation. */
  async function read(zip: Buffer): Promise<Record<string, string>> {
    await writeFile(join(folder, "made.zip"), zip);
    const program =
      "import json, sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n" +
      "print(json.dumps({i.filename: oct(i.external_attr >> 16) + ' ' + z.read(i).decode() for i in z.infolist()}))";
    const { stdout } = await promisify(execFile)("python3", ["-c", program, join(folder, "made.zip")]);
    return JSON.parse(stdout) as Record<string, string>;
  }

  test("of a folder, of named members and of both, relative to the project", async () => {
    await mkdir(join(folder, "bundle", "lib"), { recursive: true });
    await writeFile(join(folder, "bundle", "index.js"), "main");
    await writeFile(join(folder, "bundle", "lib", "中.js"), "");
    const bundle: ArchiveValue = { kind: "archive", hash: "h", path: "bundle" };
    const assets: ArchiveValue["assets"] = { "a.txt": { kind: "asset", hash: "h", text: "text" }, sub: bundle };

    expect(await read(await zipOf(bundle, folder))).toEqual({ "index.js": "0o100644 main", "lib/中.js": "0o100644 " });
    expect(await read(await zipOf({ kind: "archive", hash: "h", assets }, folder))).toEqual({
      "a.txt": "0o100644 text",
      "sub/index.js": "0o100644 main",
      "sub/lib/中.js": "0o100644 ",
    });
  });

  test("equal content gives equal bytes, and a zip file is not changed", async () => {
    const of = (text: string): ArchiveValue => ({
      kind: "archive",
      hash: "h",
      assets: { a: { kind: "asset", hash: "h", text } },
    });
    expect((await zipOf(of("1"), folder)).equals(await zipOf(of("1"), folder))).toBe(true);
    expect((await zipOf(of("1"), folder)).equals(await zipOf(of("2"), folder))).toBe(false);
    await writeFile(join(folder, "ready.zip"), "bytes");
    expect(await zipOf({ kind: "archive", hash: "h", path: "ready.zip" }, folder)).toEqual(Buffer.from("bytes"));
  });

  test("what no function's code can hold is refused before it is read", async () => {
    const folderOf = (path: string): ArchiveValue => ({ kind: "archive", hash: "h", path });
    await mkdir(join(folder, "large"));
    await writeFile(join(folder, "large", "index.js"), "main");
    // It takes no space on the disk.
    await writeFile(join(folder, "large", "data"), "");
    await truncate(join(folder, "large", "data"), 501 * 1024 * 1024);
    await expect(zipOf(folderOf("large"), folder)).rejects.toThrow(/more than 500 MiB with .*large\/data/);
    await mkdir(join(folder, "pipe"));
    await promisify(execFile)("mkfifo", [join(folder, "pipe", "endless")]);
    await expect(zipOf(folderOf("pipe"), folder)).rejects.toThrow(/pipe\/endless is neither a file nor a folder/);
    await writeFile(join(folder, "ready.zip"), "");
    await truncate(join(folder, "ready.zip"), 501 * 1024 * 1024);
    await expect(zipOf(folderOf("ready.zip"), folder)).rejects.toThrow(/more than 500 MiB with .*ready\.zip/);
  });

  test("without members or with a missing folder is an error", async () => {
    await expect(zipOf({ kind: "archive", hash: "h", assets: {} }, folder)).rejects.toThrow(/has no members/);
    await expect(zipOf({ kind: "archive", hash: "h", path: "nowhere" }, folder)).rejects.toThrow(/nowhere/);
  });
});
