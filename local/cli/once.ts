/** `npm start -- --once FILE...`: puts files in at the source and waits until each is proven equal at the destination. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, isAbsolute, relative, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { clientConfig } from "../aws/client-config";
import type { LocalStack } from "../local-stack";
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
  const sourceClient = new S3Client(clientConfig(source.cloud));
  const destinationClient = new S3Client(clientConfig(destination.cloud));
  try {
    const sha256 = await sha256Of(createReadStream(file.path));
    await sourceClient.send(
      new PutObjectCommand({
        Bucket: source.bucket,
        Key: file.key,
        Body: createReadStream(file.path),
        ContentLength: file.sizeBytes,
      }),
    );
    const putAtMs = Date.now();
    for (let look = 1; Date.now() < deadlineMs; look++) {
      const found = await readBack(destinationClient, destination.bucket, destination.prefix + file.key);
      if (found === sha256) return { key: file.key, sizeBytes: file.sizeBytes, sha256, lagMs: Date.now() - putAtMs };
      // No event tells an outsider of an arrival: looking is all there is.
      await delay(LOOK_MS, undefined, { signal });
      const reason = look % LOOKS_PER_DEAD_LETTERS === 0 ? await deadLetterReason(stack, file.key) : undefined;
      if (reason !== undefined) throw new Error(`${file.key}: parked: ${reason}`);
    }
    throw new Error(`${file.key}: not at the destination in time; see the functions' logs`);
  } finally {
    sourceClient.destroy();
    destinationClient.destroy();
  }
}

async function readBack(client: S3Client, bucket: string, key: string): Promise<string | undefined> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Body === undefined ? undefined : await sha256Of(Body as AsyncIterable<Uint8Array>);
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

async function sha256Of(body: AsyncIterable<Uint8Array | string>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}

async function deadLetterReason(stack: LocalStack, key: string): Promise<string | undefined> {
  const client = new SQSClient(clientConfig(ends(stack).source.cloud));
  try {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: stack.outputs.deadLetterQueueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ["All"],
        // A look, no more: they stay there for whoever else looks.
        VisibilityTimeout: 0,
      }),
    );
    // The bridge writes keys as they are, S3 in its events encoded.
    const names = [key, encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/")].map((name) =>
      JSON.stringify(name),
    );
    const mine = Messages.find(({ Body = "" }) => names.some((name) => Body.includes(name)));
    return mine && (mine.MessageAttributes?.Reason?.StringValue ?? "Lambda gave the event up; see the sender's log");
  } finally {
    client.destroy();
  }
}
