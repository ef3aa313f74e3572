/**
 * The inputs of a resource type. A name that ends with `!` is required. The schema gives the entry its types, so an entry cannot
 * read an input that it does not declare.
 */
import { type ArchiveValue, isArchive, isObject, type Properties, UNKNOWN } from "./values";

type Leaf =
  | "string"
  | "number"
  | "boolean"
  /** Names to strings. */
  | "map"
  /** A policy or another JSON document, as text or as an object. */
  | "json"
  | "archive";
export type Shape = Leaf | readonly [Shape] | { readonly [name: string]: Shape };
export type Schema = { readonly [name: string]: Shape };

export type Infer<S> = S extends "string" | "json"
  ? string
  : S extends "number"
    ? number
    : S extends "boolean"
      ? boolean
      : S extends "map"
        ? Record<string, string>
        : S extends "archive"
          ? ArchiveValue
          : S extends readonly [infer E]
            ? Infer<E>[]
            : S extends object
              ? { [K in keyof S as K extends `${infer N}!` ? N : never]: Infer<S[K]> } & {
                  [K in keyof S as K extends `${string}!` ? never : K]?: Infer<S[K]> | undefined;
                }
              : never;

export interface Failure {
  /** Path of the input, e.g. `rules[0].status`. */
  property: string;
  reason: string;
}

/** Lists the inputs that do not fit the schema. An unknown value always fits. */
export function findFailures(schema: Schema, inputs: Properties): Failure[] {
  return [...objectFailures(schema, inputs, "")];
}

function* objectFailures(schema: Schema, value: Properties, path: string): Generator<Failure> {
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  const known = new Map(Object.entries(schema).map(([name, shape]) => [name.replace(/!$/, ""), shape]));
  for (const [name, entry] of Object.entries(value)) {
    const shape = known.get(name);
    if (shape === undefined) {
      const names = [...known.keys()].sort().join(", ");
      yield { property: at(name), reason: `the local cloud has no input ${at(name)} here; it has ${names}` };
    } else if (entry !== undefined) yield* shapeFailures(shape, entry, at(name));
  }
  for (const name of Object.keys(schema)) {
    const plain = name.replace(/!$/, "");
    if (name !== plain && value[plain] === undefined) yield { property: at(plain), reason: `${at(plain)} is required` };
  }
}

function* shapeFailures(shape: Shape, value: unknown, path: string): Generator<Failure> {
  if (value === UNKNOWN) return;
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return yield { property: path, reason: `${path} must be a list` };
    for (const [index, entry] of value.entries()) yield* shapeFailures(shape[0] as Shape, entry, `${path}[${index}]`);
  } else if (typeof shape === "object") {
    if (!isObject(value)) return yield { property: path, reason: `${path} must be an object` };
    yield* objectFailures(shape as Schema, value, path);
  } else if (!LEAVES[shape as Leaf](value)) {
    yield { property: path, reason: `${path} must be a ${shape}, not ${JSON.stringify(value)}` };
  }
}

const LEAVES: Record<Leaf, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  map: (value) => isObject(value) && Object.values(value).every((entry) => typeof entry === "string" || entry === UNKNOWN),
  json: (value) => isObject(value) || (typeof value === "string" && isJson(value)),
  archive: isArchive,
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Turns every JSON document into text, as the cloud's API takes it. */
export function normalise(schema: Schema, inputs: Properties): Properties {
  const json = Object.entries(schema).filter(([, shape]) => shape === "json");
  const texts = json.flatMap(([name]) => {
    const plain = name.replace(/!$/, "");
    const value = inputs[plain];
    // A document with an unknown value is unknown.
    return isObject(value) ? [[plain, documentText(value)]] : [];
  });
  return { ...inputs, ...Object.fromEntries(texts) };
}

function documentText(value: Properties): unknown {
  let unknown = false;
  const text = JSON.stringify(value, (_, entry: unknown) => {
    if (entry === UNKNOWN) unknown = true;
    return entry;
  });
  return unknown ? UNKNOWN : text;
}
