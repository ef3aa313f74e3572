/** Reads keys from a file: one a line, as text, as a JSON string, or as an object with a `key`, such as `status --json` and `verify` write. */
import { createReadStream, fstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import { parseJson } from "../../runtime/protocol/json";
import { UsageError } from "../command";
import { linesOf } from "../lines";

const STDIN = "-";

export interface Line {
  /** From 1. */
  number: number;
  key: string;
}

/** @param path `-` is the standard input */
export async function* keysIn(path: string): AsyncGenerator<Line> {
  const input = path === STDIN ? process.stdin : createReadStream(path);
  let number = 0;
  try {
    for await (const line of linesOf(input)) {
      number += 1;
      const key = keyOf(line);
      if (key !== undefined) yield { number, key };
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UsageError(`${path} cannot be read: ${code}`, { cause: error });
  }
}

/** Undefined for an empty line, and for an object without a key, such as the summary of a command. */
function keyOf(line: string): string | undefined {
  if (line === "") return undefined;
  const parsed = line.startsWith("{") || line.startsWith('"') ? parseJson(line) : undefined;
  if (parsed === undefined) return line;
  if (typeof parsed === "string") return parsed || undefined;
  const key = (parsed as { key?: unknown } | null)?.key;
  return typeof key === "string" && key !== "" ? key : undefined;
}

/** @throws UsageError if the differences would be written over the keys: none would be left to compare */
export async function assertNotOver(keys: string, out: string): Promise<void> {
  const [read, written] = await Promise.all([fileId(keys), fileId(out)]);
  if (read === undefined || read !== written) return;
  throw new UsageError(
    `${out} holds the keys of --from-file, and the differences would be written over them: name another file with --out`,
  );
}

/** Undefined for a file that is not there. One that cannot be read is an error of its reader. */
async function fileId(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = path === STDIN ? fstatSync(process.stdin.fd) : await stat(path);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

/** How many keys the file has; undefined for the standard input, which can be read only once. */
export async function countKeys(path: string): Promise<number | undefined> {
  if (path === STDIN) return undefined;
  let count = 0;
  for await (const _line of keysIn(path)) count += 1;
  return count;
}
