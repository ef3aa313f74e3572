/**
 * The whole command in a process of its own, against a server of many keys. VERIFY_KEYS=1000000 runs it with a million a side and prints the
 * figures.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Finding } from "../../../operator/verify/findings";
import { buildCommand } from "../../../scripts/build-command";
import { pullRaw, withFolder } from "../backfill/fixture";
import { DESTINATION, extraKey, type ListingServer, numbered, plantedAt, SOURCE, startListingServer } from "./listing-server";

const ROOT = join(__dirname, "..", "..", "..");
const KEYS = Number(process.env.VERIFY_KEYS ?? 40_000);
const MAX_PEAK_BYTES = 300 * 1024 ** 2;
/** At exit it writes the peak memory in KiB to descriptor 3. The kernel's other figure includes the parent before `exec`. */
const PEAK_MEMORY = `
const { readFileSync, writeSync } = require("node:fs");
process.on("exit", () => writeSync(3, /^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]));
`;

const expected: string[] = [];
for (let index = 0; index < KEYS; index++) {
  const planted = plantedAt(index);
  if (planted === "missing") expected.push(`missing ${numbered(index)}`);
  if (planted === "other size" || planted === "other bytes") expected.push(`different ${numbered(index)}`);
  if (planted === "extra") expected.push(`extra ${extraKey(index)}`);
}
expected.sort();

const stack = `verify-scale-${process.pid}`;
const sessionFile = join(ROOT, ".local", "operator", `${stack}.json`);
let server: ListingServer;
const peakMemory = join(ROOT, ".local", stack, "peak-memory.js");
/** The bundle, as users run it. It is inside the checkout, where it finds the file of the session. */
const outDir = join(ROOT, ".local", stack);
let command: string;

beforeAll(async () => {
  command = await buildCommand({ outDir });
  await writeFile(peakMemory, PEAK_MEMORY);
  server = await startListingServer(KEYS);
  const cloud = { endpoint: server.origin, accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" };
  const { source, destination, ...rest } = pullRaw({ name: "scale", deletes: "replicate" });
  const settings = Object.fromEntries(
    Object.entries({ source, destination, ...rest }).map(([key, value]) => [`crossborderbridge:${key}`, value]),
  );
  const session = {
    ...{ pid: process.pid, settings, outputs: { sourceBucket: SOURCE, destinationBucket: DESTINATION } },
    ...{ caFile: join(ROOT, "LICENSE"), clouds: { aws: cloud, "aws-cn": cloud } },
  };
  await mkdir(join(ROOT, ".local", "operator"), { recursive: true });
  await writeFile(sessionFile, JSON.stringify(session));
});
afterAll(async () => {
  await rm(sessionFile, { force: true });
  await rm(outDir, { recursive: true, force: true });
  await server.close();
});

interface Ended {
  exitCode: number | null;
  printed: string;
  noted: string;
  peakBytes: number;
}

function start(folder: string): { child: ChildProcess; ended: Promise<Ended> } {
  const node = ["--require", peakMemory, command];
  const files = ["--checkpoint", join(folder, "c.json"), "--out", join(folder, "f.jsonl")];
  const child = spawn(process.execPath, [...node, "verify", "--stack", stack, "--local", ...files], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const outputs = [child.stdout, child.stderr, child.stdio[3]].map((stream) => text(stream as Readable));
  const ended = once(child, "close").then(async ([exitCode]): Promise<Ended> => {
    const [printed = "", noted = "", peak = ""] = await Promise.all(outputs);
    return { exitCode: exitCode as number | null, printed, noted, peakBytes: Number(peak) * 1024 };
  });
  return { child, ended };
}

async function findingsIn(folder: string): Promise<string[]> {
  const lines = (await readFile(join(folder, "f.jsonl"), "utf8")).split("\n").filter((line) => line !== "");
  return lines
    .map((line) => JSON.parse(line) as Finding)
    .map(({ kind, key }) => `${kind} ${key}`)
    .sort();
}

test(
  "finds exactly the planted differences, with little memory",
  () =>
    withFolder(async (folder) => {
      const beganMs = Date.now();
      const { exitCode, printed, noted, peakBytes } = await start(folder).ended;
      const seconds = (Date.now() - beganMs) / 1000;
      if (process.env.VERIFY_KEYS !== undefined)
        process.stdout.write(
          `${KEYS} keys a side: ${seconds.toFixed(1)} s, peak ${(peakBytes / 1024 ** 2).toFixed(0)} MiB\n${noted}\n`,
        );
      expect({ exitCode, noted: noted.split("\n").filter((line) => /error|refused/i.test(line)) }).toEqual({
        exitCode: 1,
        noted: [],
      });
      expect(await findingsIn(folder)).toEqual(expected);
      expect(printed).toContain(`compared`);
      expect(peakBytes).toBeGreaterThan(0);
      expect(peakBytes).toBeLessThan(MAX_PEAK_BYTES);
    }),
  600_000,
);

test(
  "a process that is killed in the middle goes on from its checkpoint, and finds every difference once",
  () =>
    withFolder(async (folder) => {
      const first = start(folder);
      const total = (2 * KEYS) / 1000;
      const base = server.pages();
      server.onPage = (pages) => {
        if (pages - base > total / 2) first.child.kill("SIGKILL");
      };
      expect((await first.ended).exitCode).toBeNull();
      server.onPage = () => undefined;
      const { exitCode } = await start(folder).ended;
      expect(exitCode).toBe(1);
      expect(await findingsIn(folder)).toEqual(expected);
    }),
  600_000,
);
