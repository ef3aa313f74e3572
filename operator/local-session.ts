/** Reads a stack that `npm start` runs on this machine, from the file that it keeps while it runs. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { parseJson } from "../runtime/protocol/json";
import { BridgeError } from "../runtime/stores/errors";
import { UsageError } from "./command";
import type { SideAccess, StackToOperate } from "./operated-bridge";
import { PACKAGE_DIR } from "./places";
import { configOf, outputsOf } from "./stack-settings";
import { quoted } from "./text";

/** Holds a `<stack>.json` for each running stack, written by `local/cli/operator-file.ts`. */
const SESSIONS_DIR = join(PACKAGE_DIR, ".local", "operator");

const credentials = { accessKeyId: z.string(), secretAccessKey: z.string() };
const awsSchema = z.object({ endpoint: z.url(), ...credentials });

const sessionSchema = z.object({
  pid: z.number().int().positive(),
  settings: z.record(z.string(), z.unknown()),
  outputs: z.record(z.string(), z.unknown()),
  /** File with the PEM of the certificate of every endpoint. */
  caFile: z.string(),
  clouds: z.object({
    aws: awsSchema.optional(),
    "aws-cn": awsSchema.optional(),
    alicloud: z.object({ endpoints: z.record(z.string(), z.string()), ...credentials }).optional(),
  }),
});
type Session = z.infer<typeof sessionSchema>;

/** The name of the only stack that runs. @throws UsageError if none does, or several do */
export async function onlyLocalStack(folder = SESSIONS_DIR): Promise<string> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const names = files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
  const running: string[] = [];
  for (const name of names.sort()) if (isRunning(await pidOf(join(folder, `${name}.json`)))) running.push(name);
  const [only, ...others] = running;
  if (only === undefined) throw new UsageError("no stack runs on this machine; start one first: npm start");
  if (others.length > 0)
    throw new UsageError(`several stacks run on this machine (${running.join(", ")}): name one with --stack`);
  return only;
}

/** 0, which is no process that anybody may ask about, for a file that is gone or of another version. */
async function pidOf(path: string): Promise<number> {
  const text = await readFile(path, "utf8").catch(() => "");
  const pid = (parseJson(text) as { pid?: unknown } | undefined)?.pid;
  return typeof pid === "number" && pid > 0 ? pid : 0;
}

/** @throws Error that says how to start the stack, if it does not run */
export async function readLocalSession(stack: string, folder = SESSIONS_DIR): Promise<StackToOperate> {
  const path = join(folder, `${stack}.json`);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const parsed = text === undefined ? undefined : sessionSchema.safeParse(parseJson(text));
  if (parsed !== undefined && !parsed.success) throw new Error(`${path} is not of this version: start the stack again`);
  if (parsed === undefined || !isRunning(parsed.data.pid))
    throw new Error(`the stack ${stack} does not run on this machine; start it first: npm start -- --stack ${quoted(stack)}`);
  const session = parsed.data;
  const ca = await readFile(session.caFile, "utf8");
  const config = configOf(stack, session.settings);
  const access = { source: accessTo(session, config.source, ca), destination: accessTo(session, config.destination, ca) };
  return { stack, config, outputs: outputsOf(stack, session.outputs), access };
}

function accessTo(
  { clouds }: Session,
  { cloud, region }: { cloud: SideAccess["cloud"]; region: string },
  ca: string,
): SideAccess {
  const local = clouds[cloud];
  if (local === undefined) throw new Error(`the local ${cloud} was not started with this stack: start it again`);
  const { accessKeyId, secretAccessKey } = local;
  if ("endpoint" in local)
    return {
      cloud: cloud as "aws" | "aws-cn",
      region,
      ca,
      endpoint: local.endpoint,
      credentials: { accessKeyId, secretAccessKey },
    };
  return {
    cloud: "alicloud",
    region,
    ca,
    credentials: async () => ({ accessKeyId, accessKeySecret: secretAccessKey }),
    originOf: (host) => {
      // The vendor has a host for each project of the log service, and the local cloud one for all of them.
      const origin = local.endpoints[host.replace(/^[^.]+\.([^.]+\.log\.)/, "$1")];
      // A request of the local stack must never reach the vendor.
      if (origin === undefined) throw new BridgeError("ConfigInvalid", "open", `the local alicloud does not serve ${host}`);
      return origin;
    },
  };
}

function isRunning(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process runs under another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
