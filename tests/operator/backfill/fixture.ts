/** A bridge between two stores in memory, and a backfill of it that does not wait. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseBridgeConfig } from "../../../components/config";
import { backfill } from "../../../operator/backfill/backfill";
import type { BackfillDeps, BackfillOptions } from "../../../operator/backfill/options";
import type { CommandContext } from "../../../operator/command";
import type { FunctionInvoker, OperatedBridge, SideAccess } from "../../../operator/operated-bridge";
import { replicaMetadata } from "../../../runtime/replication/provenance";
import { takeSnapshot } from "../../../runtime/replication/snapshot";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { native, PLACES, pull } from "../../components/config/fixture";

export const CLOCK = { now: () => Date.parse("2026-11-21T10:00:00.000Z") };
export const NO_ATTRIBUTES = { headers: {}, metadata: {}, tags: {} };
type Raw = Record<string, unknown>;

export class FakeBridge implements OperatedBridge {
  readonly stack = "dev";
  readonly from = new MemoryStore({ clock: CLOCK, versioned: true, name: "from-here" });
  readonly to = new MemoryStore({ clock: CLOCK, versioned: true, name: "to-there" });
  /** Every key that was ever enqueued, in order. */
  readonly enqueued: string[] = [];
  /** The keys of every `touch`, in order. */
  readonly touched: string[] = [];
  readonly config: OperatedBridge["config"];
  outputs: OperatedBridge["outputs"] = { sourceBucket: "from-here", destinationBucket: "to-there" };
  readonly source: OperatedBridge["source"];
  readonly destination: OperatedBridge["destination"];

  constructor(raw: Raw, options: { destinationPrefix?: string } = {}) {
    this.config = parseBridgeConfig(JSON.parse(JSON.stringify(raw)) as Raw, { stack: "dev" });
    const touch = this.from.touch.bind(this.from);
    // S3 replicates every new version that a rule covers.
    this.from.touch = async (key, touching) => {
      const result = await touch(key, touching);
      this.touched.push(key);
      this.from.setReplication(key, "PENDING");
      return result;
    };
    const { source, destination } = this.config;
    this.source = { side: "source", ...source, keyPrefix: "", store: this.from, functions: NO_FUNCTIONS };
    const keyPrefix = options.destinationPrefix ?? "";
    this.destination = { side: "destination", ...destination, keyPrefix, store: this.to, functions: NO_FUNCTIONS };
  }

  deadLetters: OperatedBridge["deadLetters"] = async () => ({ letters: [], complete: true });
  redrive: OperatedBridge["redrive"] = () => Promise.reject(new Error("no letter is redriven"));
  keyLog: OperatedBridge["keyLog"] = async () => ({ lines: [], complete: true, notes: [] });
  ways: OperatedBridge["ways"];
  held: OperatedBridge["held"] = async () => ({ looks: [], complete: true });
  queued: OperatedBridge["queued"] = async () => 0;
  log: OperatedBridge["log"] = async () => ({ lines: [], complete: true });
  activity: OperatedBridge["activity"] = async () => ({ lines: [], complete: true });
  executions: OperatedBridge["executions"] = async () => ({ executions: [], complete: true });

  async enqueue(keys: readonly string[]): Promise<void> {
    if (this.config.mode === "native") throw new BridgeError("Unsupported", "enqueue", "mode native has no queue");
    this.enqueued.push(...keys);
  }

  async close(): Promise<void> {}

  async put(key: string, text = "x", attributes = NO_ATTRIBUTES): Promise<void> {
    const body = Buffer.from(text);
    await this.from.put(key, body, { attributes, sizeBytes: body.length });
  }

  /** Writes the replica as the receiver would. */
  async replicate(key: string): Promise<void> {
    const snapshot = await takeSnapshot(this.from, key);
    if (snapshot === undefined) return;
    const { name, source } = this.config;
    const target = this.destination.keyPrefix + key;
    const metadata = replicaMetadata(snapshot, { bridgeId: name, sourceId: `${source.cloud}:${source.bucket}` }, target);
    const { body } = await this.from.get(key);
    const attributes = { headers: snapshot.headers, metadata, tags: snapshot.tags };
    await this.to.put(target, body, { attributes, sizeBytes: snapshot.sizeBytes });
  }
}

const NO_FUNCTIONS: FunctionInvoker = {
  invoke: () => Promise.reject(new Error("no function is called")),
  invokeAsync: () => Promise.reject(new Error("no function is called")),
};

export const nativeRaw = (settings: Raw = {}): Raw => ({ ...PLACES.aws, mode: "native", ...settings });
export const ossNativeRaw = (settings: Raw = {}): Raw => native(settings);
export const pullRaw = (settings: Raw = {}): Raw => pull({ from: "aws", to: "aws-cn", ...settings });

export const keyOf = (index: number) => `data/${String(index).padStart(5, "0")}`;

/** A bridge with `count` objects of one byte at the source. */
export async function filled(raw: Raw, count: number): Promise<FakeBridge> {
  const bridge = new FakeBridge(raw);
  for (let index = 0; index < count; index++) await bridge.put(keyOf(index));
  return bridge;
}

export interface Ran {
  exitCode: number;
  printed: string[];
  noted: string[];
}

/** Runs the work with a folder for its checkpoints, and removes the folder afterwards. */
export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "backfill-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const ACCESS: SideAccess = {
  cloud: "aws",
  region: "us-east-1",
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
};

export interface Given extends Partial<BackfillOptions> {
  /** The signal of the command's context. */
  signal?: AbortSignal;
  deps?: Partial<BackfillDeps>;
}

export async function run(bridge: OperatedBridge, { signal, deps, ...options }: Given): Promise<Ran> {
  const printed: string[] = [];
  const noted: string[] = [];
  const context: CommandContext = {
    bridge,
    access: { source: ACCESS, destination: ACCESS },
    local: options.local === true,
    json: options.json === true,
    signal: signal ?? new AbortController().signal,
    print: (text) => printed.push(text),
    note: (text) => noted.push(text),
  };
  const exitCode = await backfill(
    context,
    { stack: "dev", prefix: "", engine: "auto", concurrency: 16, report: "failed", yes: true, ...options },
    {
      now: CLOCK.now,
      sleep: async (_ms, aborted) => aborted.throwIfAborted(),
      random: () => 0.5,
      interactive: false,
      confirm: () => Promise.reject(new Error("this test expects no question")),
      openControl: () => Promise.reject(new Error("no job is made")),
      ...deps,
    },
  );
  return { exitCode, printed, noted };
}
