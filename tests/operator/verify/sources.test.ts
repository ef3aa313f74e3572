/** Verifications that read something else than the listings: checksums and bytes, files of keys, inventories. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { csvFields } from "../../../operator/verify/inventory";
import { assertOptions, type VerifyOptions } from "../../../operator/verify/options";
import { CLOCK, type FakeBridge, filled, keyOf, NO_ATTRIBUTES, pullRaw, withFolder } from "../backfill/fixture";
import { filesIn, findingsIn, kindsIn, run } from "./fixture";

async function replicated(count: number): Promise<FakeBridge> {
  const bridge = await filled(pullRaw(), count);
  for (let index = 0; index < count; index++) await bridge.replicate(keyOf(index));
  return bridge;
}

/** The stores then have no common checksum, and ETags that are no MD5s. */
function hideChecksums(bridge: FakeBridge, sides: readonly ("from" | "to")[]): void {
  for (const name of ["from", "to"] as const) {
    const store = bridge[name];
    const [head, listPages] = [store.head.bind(store), store.listPages.bind(store)];
    const etagOf = (etag: string) => `${name}-${etag}`;
    store.head = async (key, options) => {
      const found = await head(key, options);
      return found && { ...found, etag: etagOf(found.etag), checksums: sides.includes(name) ? [] : found.checksums };
    };
    store.listPages = async function* (prefix, options) {
      for await (const page of listPages(prefix, options)) yield page.map((one) => ({ ...one, etag: etagOf(one.etag) }));
    };
    const get = store.get.bind(store);
    store.get = (key, { ifMatch, ...options } = {}) => get(key, { ...options, ifMatch: ifMatch?.replace(`${name}-`, "") });
  }
}

describe("--bytes", () => {
  /** Other bytes of the same size, which kept the metadata and so the provenance. */
  async function corrupt(bridge: FakeBridge, key: string): Promise<void> {
    const head = await bridge.to.head(key);
    const attributes = { ...NO_ATTRIBUTES, metadata: head?.metadata ?? {} };
    await bridge.to.put(key, Buffer.from("!"), { attributes, sizeBytes: 1 });
  }

  test.each<[string, ("from" | "to")[], { from: number; to: number }]>([
    ["both, where neither store has a checksum", ["from", "to"], { from: 3, to: 3 }],
    ["the source, where only the destination has one", ["from"], { from: 3, to: 0 }],
    ["the destination, where only the source has one", ["to"], { from: 0, to: 3 }],
    ["neither, where both have the same kind", [], { from: 0, to: 0 }],
  ])("reads %s, and finds other bytes", (_which, hidden, reads) =>
    withFolder(async (folder) => {
      const bridge = await replicated(3);
      await corrupt(bridge, keyOf(1));
      hideChecksums(bridge, hidden);
      const gets = () => [bridge.from.calls.get ?? 0, bridge.to.calls.get ?? 0] as const;
      const [fromBefore, toBefore] = gets();
      const { exitCode, printed } = await run(bridge, { folder, bytes: true });
      expect(exitCode).toBe(1);
      expect((await findingsIn(folder)).map(({ kind, key, reason }) => [kind, key, reason])).toEqual([
        ["different", keyOf(1), expect.stringMatching(/of the bytes is /)],
      ]);
      expect(printed).toContain("proven equal                  2");
      const [fromAfter, toAfter] = gets();
      expect({ from: fromAfter - fromBefore, to: toAfter - toBefore }).toEqual(reads);
    }),
  );

  test("without it, objects without a common checksum are compared by size and time, and the report says so", () =>
    withFolder(async (folder) => {
      const bridge = await replicated(3);
      hideChecksums(bridge, ["from", "to"]);
      const { exitCode, printed } = await run(bridge, { folder });
      expect(exitCode).toBe(0);
      expect(printed.at(-1)).toBe("no differences; 3 were compared by size and time alone: --bytes compares checksums");
    }));
});

describe("--from-file", () => {
  test("takes the differences of an earlier run, and does not write over them", () =>
    withFolder(async (folder) => {
      const bridge = await replicated(3);
      await bridge.to.delete(keyOf(1));
      expect((await run(bridge, { folder })).exitCode).toBe(1);
      const { out } = filesIn(folder);
      await expect(run(bridge, { folder, fromFile: out })).rejects.toThrow(
        /holds the keys of --from-file.* another file with --out/,
      );
      expect(await kindsIn(folder)).toEqual([`missing ${keyOf(1)}`]);
      const { exitCode, printed } = await run(bridge, { folder, fromFile: out, out: join(folder, "again.jsonl") });
      expect(exitCode).toBe(1);
      expect(printed.join("\n")).toMatch(/^missing at the destination +1 /m);
    }));

  test("compares the keys of the file alone, as text or JSON, and resumes at its line", () =>
    withFolder(async (folder) => {
      const bridge = await replicated(5);
      for (const index of [1, 2, 4]) await bridge.to.delete(keyOf(index));
      const file = join(folder, "keys.txt");
      const lines = [
        keyOf(0),
        keyOf(1),
        "",
        JSON.stringify(keyOf(2)),
        JSON.stringify({ kind: "missing", key: keyOf(3) }),
        '{"faults":1}',
      ];
      await writeFile(file, `${lines.join("\r\n")}\nnever/there`);
      const { exitCode, printed } = await run(bridge, { folder, fromFile: file });
      expect(exitCode).toBe(1);
      expect(printed[0]).toMatch(/^compared +5/);
      expect(await kindsIn(folder)).toEqual([`missing ${keyOf(1)}`, `missing ${keyOf(2)}`]);
      expect(bridge.from.calls.list).toBe(1);
    }));

  test("a file that cannot be read is an error of the command line", () =>
    withFolder(async (folder) => {
      const bridge = await replicated(1);
      await expect(run(bridge, { folder, fromFile: join(folder, "none") })).rejects.toThrow(/none cannot be read: ENOENT/);
      await expect(run(bridge, { folder, fromFile: folder })).rejects.toThrow(/cannot be read: EISDIR/);
    }));
});

describe("inventories", () => {
  const SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag";
  const time = new Date(CLOCK.now()).toISOString();

  /** Writes a report as S3 lays it out: `data/` is beside the folder of the manifest. @returns the path of the manifest */
  async function writeReport(folder: string, rows: string[][], changes: Record<string, unknown> = {}): Promise<string> {
    const files = [rows.filter((_, index) => index % 2 === 1), rows.filter((_, index) => index % 2 === 0)].map((part, index) => {
      const text = part.map((row) => row.map((field) => `"${field}"`).join(",")).join("\n");
      return { name: `${index}.csv.gz`, bytes: gzipSync(text) };
    });
    await mkdir(join(folder, "report", "2026"), { recursive: true });
    await mkdir(join(folder, "report", "data"), { recursive: true });
    for (const { name, bytes } of files) await writeFile(join(folder, "report", "data", name), bytes);
    const manifest = {
      ...{
        sourceBucket: "to-there",
        version: "2016-11-30",
        fileFormat: "CSV",
        fileSchema: SCHEMA,
        creationTimestamp: "1764547200000",
      },
      files: files.map(({ name, bytes }) => ({
        ...{ key: `reports/to-there/daily/data/${name}`, size: bytes.length },
        MD5checksum: createHash("md5").update(bytes).digest("hex"),
      })),
      ...changes,
    };
    const path = join(folder, "report", "2026", "manifest.json");
    await writeFile(path, JSON.stringify(manifest));
    return path;
  }

  /** The rows of the destination, in no order. */
  async function rowsOf(bridge: FakeBridge): Promise<string[][]> {
    const rows: string[][] = [];
    for await (const { key, sizeBytes, etag } of bridge.to.list(""))
      rows.push([
        "to-there",
        encodeURIComponent(key).replaceAll("%20", "+"),
        "v1",
        "true",
        "false",
        String(sizeBytes),
        time,
        etag,
      ]);
    return rows.reverse();
  }

  test("a report stands for a listing: unsorted, in several files, with old versions and delete markers", () =>
    withFolder(async (folder) => {
      const bridge = await replicated(50);
      await bridge.put("data/with space+é");
      await bridge.replicate("data/with space+é");
      await bridge.to.delete(keyOf(7));
      const rows = await rowsOf(bridge);
      rows.push(["to-there", encodeURIComponent(keyOf(7)), "v1", "false", "false", "1", time, "old"]);
      rows.push(["to-there", encodeURIComponent(keyOf(7)), "v2", "true", "true", "0", time, ""]);
      const manifest = await writeReport(folder, rows);
      const listed = bridge.to.calls.list ?? 0;
      const { exitCode, noted } = await run(bridge, { folder, destinationInventory: manifest });
      expect(noted[0]).toBe(
        "inventory of the destination: 50 objects, as of 2025-12-01T00:00:00.000Z; each difference is looked at as it is now",
      );
      expect(exitCode).toBe(1);
      expect(await kindsIn(folder)).toEqual([`missing ${keyOf(7)}`]);
      // Only the look at the bucket itself.
      expect((bridge.to.calls.list ?? 0) - listed).toBe(1);
    }));

  test("what has arrived since the report is no difference", () =>
    withFolder(async (folder) => {
      const bridge = await replicated(5);
      const manifest = await writeReport(folder, (await rowsOf(bridge)).slice(1));
      const { exitCode } = await run(bridge, { folder, destinationInventory: manifest });
      expect(exitCode).toBe(0);
      expect(await kindsIn(folder)).toEqual([]);
    }));

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["another bucket", { sourceBucket: "other" }, /is the inventory of the bucket other, not of to-there/],
    ["another format", { fileFormat: "Parquet" }, /is an inventory in Parquet; configure one in CSV/],
    ["too few fields", { fileSchema: "Bucket, Key" }, /has no field Size; add it/],
    [
      "a file that is not there",
      { files: [{ key: "a/data/other.csv.gz" }] },
      /other.csv.gz of the inventory is not on this machine/,
    ],
    [
      "a file that is damaged",
      { files: [{ key: "data/0.csv.gz", MD5checksum: "0".repeat(32) }] },
      /has the MD5 .* download it again/,
    ],
    ["no files", { files: undefined }, /is no manifest of an inventory/],
  ])("refuses a report of %s", (_what, changes, message) =>
    withFolder(async (folder) => {
      const bridge = await replicated(3);
      const manifest = await writeReport(folder, await rowsOf(bridge), changes);
      await expect(run(bridge, { folder, destinationInventory: manifest })).rejects.toThrow(message);
    }),
  );

  test("a report in a bucket is read with the credentials of its side", () =>
    withFolder(async (folder) => {
      const bridge = await replicated(2);
      const asked: string[] = [];
      const openStore = async (_access: unknown, bucket: string) => {
        asked.push(bucket);
        return bridge.from;
      };
      await bridge.put("manifest.json", "no JSON");
      const destinationInventory = "s3://inventories/manifest.json";
      await expect(run(bridge, { folder, destinationInventory, deps: { openStore } })).rejects.toThrow(/is no manifest/);
      expect(asked).toEqual(["inventories"]);
    }));

  test.each([
    ['"a","b"', ["a", "b"]],
    ['"a ""quoted""",b,,"c,d"', ['a "quoted"', "b", "", "c,d"]],
  ])("reads the line %s", (line, fields) => expect(csvFields(line)).toEqual(fields));
});

test.each<[string, Partial<VerifyOptions>, RegExp]>([
  ["--dry-run without --repair", { dryRun: true }, /are about --repair/],
  ["--max-bytes without --repair", { maxBytes: 1 }, /are about --repair/],
  ["--repair where nobody can be asked", { repair: true }, /there is nobody to ask/],
  ["--from-file with an inventory", { fromFile: "a", sourceInventory: "b" }, /names the keys itself/],
])("refuses %s", (_what, options, message) => {
  const given = { stack: "dev", prefix: "", grace: 0, parallel: 1, concurrency: 1, ...options };
  expect(() => assertOptions(given, { interactive: false })).toThrow(message);
});
