/** `npm start -- --once FILE...`: puts files at the source and waits until each copy at the destination is proven equal. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, isAbsolute, relative, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { scopeSchema } from "../../components/config/schema";
import { inScope } from "../../runtime/replication/scope";
import { type LocalStack, readSettings } from "../local-stack";
import { deadLetterReason } from "./dead-letters";
import { ends, openEnd } from "./ends";

export interface LocalFile {
  path: string;
  key: string;
  sizeBytes: number;
}

/** A copy whose SHA-256, read back at the destination, equals that of the file. */
export interface ProvenCopy {
  key: string;
  sizeBytes: number;
  sha256: string;
  /** From the end of the put at the source to the first read of an equal copy at the destination. */
  lagMs: number;
}

const POLL_MS = 100;
const POLLS_PER_DEAD_LETTERS = 10;

/** Called before anything is deployed. @throws Error that names every path that cannot be sent. */
export async function readFiles(paths: readonly string[]): Promise<LocalFile[]> {
  const problems: string[] = [];
  const files: LocalFile[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error) problems.push(`${path}: ${found.code === "ENOENT" ? "no such file" : found.message}`);
    else if (!found.isFile()) problems.push(`${path}: not a file; name the files that are in it`);
    else files.push({ path, key: keyOf(path), sizeBytes: found.size });
  }
  for (const { key, path } of files) {
    const twin = files.find((other) => other.key === key && other.path !== path);
    if (twin) problems.push(`${path}: has the same key "${key}" as ${twin.path}`);
  }
  if (problems.length > 0) throw new Error(`cannot send\n  ${[...new Set(problems)].join("\n  ")}`);
  return files;
}

/**
 * Called before anything is deployed. Ignores a scope that is not valid: the deployment reports it.
 * @throws Error that names every file that is not in the scope of the stack.
 */
export async function assertInScope(files: readonly LocalFile[], stack: string): Promise<void> {
  const settings = await readSettings(stack);
  const scope = scopeSchema.safeParse(settings["crossborderbridge:scope"] ?? {});
  if (!scope.success) return;
  const problems = files.flatMap(({ key, sizeBytes }) => {
    const verdict = inScope(scope.data, key, { sizeBytes, tags: {} });
    return verdict.inScope ? [] : [`${key}: ${verdict.reason}`];
  });
  if (problems.length > 0) throw new Error(`not in the scope of stack ${stack}\n  ${problems.join("\n  ")}`);
}

/** A key in the scope of the stack, as far as its prefixes and suffixes say. */
export function exampleKey(settings: Record<string, unknown>): string {
  const scope = scopeSchema.safeParse(settings["crossborderbridge:scope"] ?? {});
  const { prefixes = [], suffixes = [] } = scope.data ?? {};
  const [prefix = ""] = prefixes;
  const isIn = suffixes.length === 0 || suffixes.some((suffix) => "README.md".endsWith(suffix));
  return `${prefix}${isIn ? "README.md" : `README${suffixes[0]}`}`;
}

/** The path relative to the current folder; for a file outside it, its name. */
function keyOf(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith("..") || isAbsolute(here) ? basename(path) : here.split(sep).join("/");
}

/** Rejects with the reason when the object does not arrive in time or lands in the dead-letter queue. */
export async function sendAndProve(
  stack: LocalStack,
  file: LocalFile,
  { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal },
): Promise<ProvenCopy> {
  const { source, destination } = ends(stack);
  const from = openEnd(source);
  const to = openEnd(destination);
  try {
    const sha256 = await sha256Of(createReadStream(file.path));
    await from.putFile(file.key, file);
    const putAtMs = Date.now();
    for (let poll = 1; Date.now() < deadlineMs; poll++) {
      const body = await to.read(destination.prefix + file.key);
      if (body !== undefined && (await sha256Of(body)) === sha256)
        return { key: file.key, sizeBytes: file.sizeBytes, sha256, lagMs: Date.now() - putAtMs };
      // A client outside the bridge gets no event of an arrival.
      await delay(POLL_MS, undefined, { signal });
      const reason = poll % POLLS_PER_DEAD_LETTERS === 0 ? await deadLetterReason(stack, file.key) : undefined;
      if (reason !== undefined) throw new Error(`${file.key}: parked: ${reason}`);
    }
    throw new Error(`${file.key}: not at the destination in time; see the functions' logs`);
  } finally {
    from.close();
    to.close();
  }
}

async function sha256Of(body: AsyncIterable<Uint8Array | string>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}
