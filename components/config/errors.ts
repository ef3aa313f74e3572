/** Writes the error text of a configuration: a line for each problem, with its path, its value and the allowed values. */
import type { z } from "zod";
import type { Violation } from "./define-rule";
import { KNOWN_KEYS } from "./schema";

/** Values at these paths are never shown. */
const SECRET_PATHS: ReadonlySet<string> = new Set(["token"]);
const SHOWN_CHARACTERS = 80;

/** Thrown for a configuration that cannot be deployed. `problems` has one line per error. */
export class ConfigInvalid extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? "an error" : `${problems.length} errors`}:\n  ${problems.join("\n  ")}`,
    );
    this.name = "ConfigInvalid";
    this.problems = problems;
  }
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined),
    root,
  );
}

export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`),
    "",
  );

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

export function closest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= Math.max(2, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > SHOWN_CHARACTERS ? `${json.slice(0, SHOWN_CHARACTERS)}...` : json;
}

export function problemText(violation: Violation, raw: unknown): string {
  const name = `crossborderbridge:${pathText(violation.path)}`;
  const value = valueAt(raw, violation.path);
  if (value === undefined) return `${name} is not set: ${violation.message}`;
  if (SECRET_PATHS.has(pathText(violation.path))) return `${name} (a secret): ${violation.message}`;
  return `${name} = ${shown(value)}: ${violation.message}`;
}

const knownKeys = (path: readonly PropertyKey[]): readonly string[] => KNOWN_KEYS[pathText(path).replace(/\[\d+\]/g, "[]")] ?? [];

/** The value of an unknown key is not shown: it may be a secret under a wrong name. */
export function unknownKeyText(path: readonly PropertyKey[], key: string): string {
  const known = knownKeys(path);
  const suggestion = closest(key, known);
  const hint = suggestion === undefined ? "" : ` did you mean ${pathText([...path, suggestion])}?`;
  return `crossborderbridge:${pathText([...path, key])}: unknown key;${hint} allowed: ${known.join(", ")}`;
}

/** The schemas of single settings have texts of their own. The schemas of sections have none. */
const messageOf = (issue: z.core.$ZodIssue): string =>
  issue.code === "invalid_type" && issue.expected === "object"
    ? `not a map; allowed: ${knownKeys(issue.path).join(", ")}`
    : issue.message;

export function violationsOf(error: z.ZodError): {
  violations: Violation[];
  unknown: { path: readonly PropertyKey[]; key: string }[];
} {
  const violations: Violation[] = [];
  const unknown: { path: readonly PropertyKey[]; key: string }[] = [];
  for (const issue of error.issues) {
    if (issue.code === "unrecognized_keys") unknown.push(...issue.keys.map((key) => ({ path: issue.path, key })));
    // Several checks of one field may fail. Only the first is reported.
    else if (!violations.some(({ path }) => pathText(path) === pathText(issue.path)))
      violations.push({ path: issue.path, message: messageOf(issue) });
  }
  return { violations, unknown };
}
