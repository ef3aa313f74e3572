/** `npm start -- --once FILE...`: puts files in at the source and waits until each is proven equal at the destination. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, isAbsolute, relative, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { scopeSchema } from "../../components/config/schema";
import { inScope } from "../../runtime/replication/scope";
import { type LocalStack, readSettings } from "../local-stack";
import { deadLetterReason } from "./dead-letters";
import { openEnd } from "./end-client";
import { ends } from "./ends";

export interface LocalFile {
  path: string;
  key: string;
  sizeBytes: number;
}

/** An object that was read back whole at the destination and is the file, bit by bit. */
export interface ProvenCopy {
  key: string;
  sizeBytes: number;
  sha256: string;
  /** From the end of the put at the source to the first look that found it equal at the destination. */
  lagMs: number;
}

const LOOK_MS = 100;
const LOOKS_PER_DEAD_LETTERS = 10;

/** @throws Error that names every path that cannot be sent, before anything is deployed. */
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
 * A scope that is not valid is not judged here: the deployment names everything that is wrong with the settings.
 * @throws Error that names every file that the stack would leave alone, before anything is deployed.
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

/** The path as typed from here on down; elsewhere only the name. */
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
    for (let look = 1; Date.now() < deadlineMs; look++) {
      const body = await to.read(destination.prefix + file.key);
      if (body !== undefined && (await sha256Of(body)) === sha256)
        return { key: file.key, sizeBytes: file.sizeBytes, sha256, lagMs: Date.now() - putAtMs };
      // No event tells an outsider of an arrival: looking is all there is.
      await delay(LOOK_MS, undefined, { signal });
      const reason = look % LOOKS_PER_DEAD_LETTERS === 0 ? await deadLetterReason(stack, file.key) : undefined;
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
