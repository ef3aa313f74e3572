/**
 * Reads an inventory report of S3 or OSS as a listing. A report is not in the order of keys, so it is sorted first: in pieces that fit into
 * memory, which are merged while they are read.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
 * https://www.alibabacloud.com/help/en/oss/user-guide/bucket-inventory
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as z from "zod";
import { parseJson } from "../../runtime/protocol/json";
import { compareKeys } from "../../runtime/stores/keys";
import type { ListedObject } from "../../runtime/stores/object-store";
import { UsageError } from "../command";
import { onDisk } from "../disk";
import { linesOf } from "../lines";
import { grouped } from "../text";
import type { Listing } from "./walk";

const manifestSchema = z.looseObject({
  sourceBucket: z.string(),
  fileFormat: z.string(),
  fileSchema: z.string(),
  creationTimestamp: z.coerce.string().optional(),
  files: z.array(z.looseObject({ key: z.string(), MD5checksum: z.string().optional() })),
});

/** Where a report is: a folder of this machine, or a bucket. */
export interface ReportFiles {
  /** The text of manifest.json. */
  manifest(): Promise<string>;
  /** One of its data files, by the key that the manifest names. */
  open(key: string): Promise<Readable>;
}

export interface InventoryOptions {
  /** As the operator wrote it, for errors. */
  name: string;
  files: ReportFiles;
  /** The bucket that the report must be about. */
  bucket: string;
  keyPrefix: string;
  signal: AbortSignal;
}

export interface Inventory {
  listing: Listing;
  objects: number;
  /** When the store began the report; undefined if it does not say. */
  takenAt: Date | undefined;
  close(): Promise<void>;
}

/** Rows in memory at once while sorting. */
const ROWS_IN_PIECE = 100_000;
const PAGE = 1000;

/** @throws UsageError if the report is none, is of another bucket, or lacks a field */
export async function openInventory({ name, files, bucket, keyPrefix, signal }: InventoryOptions): Promise<Inventory> {
  const parsed = manifestSchema.safeParse(parseJson(await files.manifest()));
  if (!parsed.success)
    throw new UsageError(`${name} is no manifest of an inventory: ${parsed.error.issues[0]?.message ?? "not valid"}`);
  const manifest = parsed.data;
  if (manifest.sourceBucket !== bucket)
    throw new UsageError(`${name} is the inventory of the bucket ${manifest.sourceBucket}, not of ${bucket}`);
  if (manifest.fileFormat.toUpperCase() !== "CSV")
    throw new UsageError(`${name} is an inventory in ${manifest.fileFormat}; configure one in CSV`);
  const columns = columnsOf(name, manifest.fileSchema);
  const folder = await mkdtemp(join(tmpdir(), "inventory-"));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    const pieces = new Pieces(folder);
    for (const file of manifest.files) {
      const bytes = await files.open(file.key);
      for await (const row of rowsOf(file, bytes, { columns, signal })) if (row !== undefined) await pieces.add(row);
    }
    await pieces.end();
    const pages: Listing["pages"] = (prefix, { startAfter }) =>
      pieces.pages(keyPrefix + prefix, startAfter && keyPrefix + startAfter);
    return { listing: { keyPrefix, pages }, objects: pieces.rows, takenAt: dateOf(manifest.creationTimestamp), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** S3 writes milliseconds, OSS seconds. */
function dateOf(timestamp: string | undefined): Date | undefined {
  const value = Number(timestamp);
  if (timestamp === undefined || !Number.isFinite(value)) return undefined;
  return new Date(value < 1e11 ? value * 1000 : value);
}

interface Columns {
  key: number;
  size: number;
  etag: number | undefined;
  lastModified: number | undefined;
  isLatest: number | undefined;
  isDeleteMarker: number | undefined;
}

function columnsOf(name: string, fileSchema: string): Columns {
  const names = fileSchema.split(",").map((one) => one.trim().toLowerCase());
  const find = (wanted: string): number | undefined => {
    const index = names.indexOf(wanted.toLowerCase());
    return index < 0 ? undefined : index;
  };
  const [key, size] = [find("Key"), find("Size")];
  if (key === undefined || size === undefined)
    throw new UsageError(`${name} has no field ${key === undefined ? "Key" : "Size"}; add it to the inventory's fields`);
  return {
    ...{ key, size, etag: find("ETag"), lastModified: find("LastModifiedDate") },
    ...{ isLatest: find("IsLatest"), isDeleteMarker: find("IsDeleteMarker") },
  };
}

type Row = [key: string, sizeBytes: number, etag: string, lastModifiedMs: number | null];

/** The rows of one file; undefined for an old version and for a delete marker. Rejects if the file is not the one of the manifest. */
async function* rowsOf(
  { key, MD5checksum }: { key: string; MD5checksum?: string | undefined },
  bytes: Readable,
  { columns, signal }: { columns: Columns; signal: AbortSignal },
): AsyncGenerator<Row | undefined> {
  const md5 = createHash("md5");
  const hashing = new Transform({
    transform: (chunk: Buffer, _encoding, callback) => {
      md5.update(chunk);
      callback(null, chunk);
    },
  });
  const text = createGunzip();
  // Its failure also ends the lines below.
  const piped = pipeline(bytes, hashing, text, { signal });
  piped.catch(() => undefined);
  for await (const line of linesOf(text)) if (line !== "") yield rowOf(key, line, columns);
  await piped;
  const found = md5.digest("hex");
  if (MD5checksum !== undefined && MD5checksum.toLowerCase() !== found)
    throw new UsageError(`${key} of the inventory has the MD5 ${found}, its manifest says ${MD5checksum}: download it again`);
}

function rowOf(file: string, line: string, columns: Columns): Row | undefined {
  const fields = csvFields(line);
  const at = (column: number | undefined) => (column === undefined ? undefined : fields[column]);
  if (at(columns.isLatest)?.toLowerCase() === "false" || at(columns.isDeleteMarker)?.toLowerCase() === "true") return undefined;
  const key = at(columns.key);
  const sizeBytes = Number(at(columns.size) ?? Number.NaN);
  if (key === undefined || key === "" || !Number.isSafeInteger(sizeBytes))
    throw new UsageError(`${file} of the inventory has a line without a key or a size: ${line.slice(0, 200)}`);
  const modifiedMs = Date.parse(at(columns.lastModified) ?? "");
  const etag = (at(columns.etag) ?? "").replace(/^"|"$/g, "");
  return [decodeURIComponent(key.replaceAll("+", "%20")), sizeBytes, etag, Number.isNaN(modifiedMs) ? null : modifiedMs];
}

/** The fields of one line of CSV. Keys are URL-encoded, so no field holds a line end. */
export function csvFields(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
  );
}

/** Rows in sorted files. */
class Pieces {
  rows = 0;
  private open: Row[] = [];
  private readonly paths: string[] = [];

  constructor(private readonly folder: string) {}

  async add(row: Row): Promise<void> {
    this.open.push(row);
    this.rows += 1;
    if (this.open.length === ROWS_IN_PIECE) await this.end();
  }

  async end(): Promise<void> {
    if (this.open.length === 0) return;
    const rows = this.open.sort(([a], [b]) => compareKeys(a, b));
    this.open = [];
    const path = join(this.folder, String(this.paths.length));
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
    await onDisk(path, () => pipeline(Readable.from(lines), createWriteStream(path)));
    this.paths.push(path);
  }

  async *pages(prefix: string, startAfter: string | undefined): AsyncGenerator<ListedObject[]> {
    let page: ListedObject[] = [];
    let last: string | undefined;
    for await (const [key, sizeBytes, etag, modifiedMs] of merged(this.paths.map(readPiece))) {
      if (!key.startsWith(prefix) || (startAfter !== undefined && compareKeys(key, startAfter) <= 0)) continue;
      if (key === last)
        throw new UsageError(`the inventory has the key ${JSON.stringify(key)} twice: configure it for current versions`);
      last = key;
      page.push({ key, sizeBytes, etag, lastModified: new Date(modifiedMs ?? Number.NaN) });
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }
}

async function* readPiece(path: string): AsyncGenerator<Row> {
  for await (const line of linesOf(createReadStream(path))) yield JSON.parse(line) as Row;
}

/** Merges sorted rows. There are few pieces, so the smallest head is searched. */
async function* merged(pieces: readonly AsyncGenerator<Row>[]): AsyncGenerator<Row> {
  const heads: { row: Row; piece: AsyncGenerator<Row> }[] = [];
  try {
    for (const piece of pieces) {
      const { done, value } = await piece.next();
      if (!done) heads.push({ row: value, piece });
    }
    while (heads.length > 0) {
      let least = 0;
      for (let index = 1; index < heads.length; index++)
        if (compareKeys(heads[index]?.row[0] ?? "", heads[least]?.row[0] ?? "") < 0) least = index;
      const head = heads[least] as (typeof heads)[number];
      yield head.row;
      const { done, value } = await head.piece.next();
      if (done) heads.splice(least, 1);
      else head.row = value;
    }
  } finally {
    for (const piece of pieces) await piece.return(undefined);
  }
}

export const inventoryText = ({ objects, takenAt }: Pick<Inventory, "objects" | "takenAt">): string =>
  `${grouped(objects)} objects${takenAt === undefined ? "" : `, as of ${takenAt.toISOString()}`}`;
