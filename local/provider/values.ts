/** Property values as the engine sends them over gRPC. */
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A value that is known only during the deployment. It appears in previews. */
export const UNKNOWN = Symbol("unknown");

export type Properties = Record<string, unknown>;

const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7";

/** A file (`path`) or a text (`text`). */
export interface AssetValue {
  kind: "asset";
  hash: string;
  path?: string;
  text?: string;
}

/** A folder or a zip file (`path`), or named members. */
export interface ArchiveValue {
  kind: "archive";
  hash: string;
  path?: string;
  assets?: Record<string, AssetValue | ArchiveValue>;
}

export function isArchive(value: unknown): value is ArchiveValue {
  return isObject(value) && value.kind === "archive" && typeof value.hash === "string";
}

export function isAsset(value: unknown): value is AssetValue {
  return isObject(value) && value.kind === "asset" && typeof value.hash === "string";
}

export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Leaves out values that are null. */
export function decode(struct: Struct | undefined): Properties {
  return struct === undefined ? {} : (decodeValue(struct.toJavaScript()) as Properties);
}

function decodeValue(value: unknown): unknown {
  if (value === UNKNOWN_TEXT) return UNKNOWN;
  if (Array.isArray(value)) return value.map(decodeValue);
  if (!isObject(value)) return value;
  const signature = value[SIGNATURE_KEY];
  if (signature === undefined) return mapEntries(value, decodeValue);
  if (signature === SECRET_SIGNATURE) return decodeValue(value.value);
  const { path, text, hash, assets, uri } = value;
  if (signature === ASSET_SIGNATURE && uri === undefined) return compact({ kind: "asset", hash, path, text });
  if (signature === ARCHIVE_SIGNATURE && uri === undefined) {
    return compact({ kind: "archive", hash, path, assets: isObject(assets) ? mapEntries(assets, decodeValue) : undefined });
  }
  throw new Error(`the local cloud cannot read a property value of kind ${String(signature)}${uri ? ` at ${uri}` : ""}`);
}

export function encode(properties: Properties): Struct {
  return Struct.fromJavaScript(encodeValue(properties) as Parameters<typeof Struct.fromJavaScript>[0]);
}

function encodeValue(value: unknown): unknown {
  if (value === UNKNOWN) return UNKNOWN_TEXT;
  if (Array.isArray(value)) return value.map(encodeValue);
  if (value instanceof Date) return value.toISOString();
  if (!isObject(value)) return value;
  if (isAsset(value) || isArchive(value)) {
    const { kind, ...rest } = value;
    const signature = kind === "asset" ? ASSET_SIGNATURE : ARCHIVE_SIGNATURE;
    return { ...mapEntries(compact(rest), encodeValue), [SIGNATURE_KEY]: signature };
  }
  return mapEntries(compact(value), encodeValue);
}

/** Leaves out entries that are undefined. */
export function compact(value: Properties): Properties {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
}

function mapEntries(value: Properties, by: (entry: unknown) => unknown): Properties {
  const entries = Object.entries(value).filter(([, entry]) => entry !== null);
  return Object.fromEntries(entries.map(([name, entry]) => [name, by(entry)]));
}

export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

/** Replaces every string in a value by `by(string)`, but not the names of entries and the paths of files. */
export function mapStrings(value: unknown, by: (text: string) => string): unknown {
  if (typeof value === "string") return by(value);
  if (Array.isArray(value)) return value.map((entry) => mapStrings(entry, by));
  if (isAsset(value) || isArchive(value) || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, mapStrings(entry, by)]));
}

/** Compares files by their hash and JSON documents by their content. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === UNKNOWN || b === UNKNOWN) return false;
  if ((isAsset(a) || isArchive(a)) && (isAsset(b) || isArchive(b))) return a.kind === b.kind && a.hash === b.hash;
  if (typeof a === "string" && typeof b === "string") {
    const [left, right] = [parseDocument(a), parseDocument(b)];
    return left !== undefined && right !== undefined && sameValue(left, right);
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((entry, index) => sameValue(entry, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => sameValue(a[name], b[name]));
}

function parseDocument(text: string): unknown {
  if (!text.startsWith("{") && !text.startsWith("[")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Not a JSON document.
    return undefined;
  }
}
