/** The stack that `npm start` runs on this machine, by the file that it keeps for as long as it runs. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { parseJson } from "../runtime/protocol/json";
import { BridgeError } from "../runtime/stores/errors";
import type { SideAccess } from "./side-access";
import { configOf, outputsOf } from "./stack-settings";
import type { StackToOperate } from "./stack-to-operate";

/** One `<stack>.json` for each stack that runs; `local/cli/operator-file.ts` writes it. */
const SESSIONS_DIR = join(__dirname, "..", ".local", "operator");

const credentials = { accessKeyId: z.string(), secretAccessKey: z.string() };
const awsSchema = z.object({ endpoint: z.url(), ...credentials });

const sessionSchema = z.object({
  pid: z.number().int().positive(),
  settings: z.record(z.string(), z.unknown()),
  outputs: z.record(z.string(), z.unknown()),
  /** PEM of the certificate that every endpoint shows. */
  caFile: z.string(),
  clouds: z.object({
    aws: awsSchema.optional(),
    "aws-cn": awsSchema.optional(),
    alicloud: z.object({ endpoints: z.record(z.string(), z.string()), ...credentials }).optional(),
  }),
});
type Session = z.infer<typeof sessionSchema>;

/** @throws Error that says how to start the stack, when it does not run */
export async function readLocalSession(stack: string, folder = SESSIONS_DIR): Promise<StackToOperate> {
  const path = join(folder, `${stack}.json`);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const parsed = text === undefined ? undefined : sessionSchema.safeParse(parseJson(text));
  if (parsed !== undefined && !parsed.success) throw new Error(`${path} is not of this version: start the stack again`);
  if (parsed === undefined || !isRunning(parsed.data.pid))
    throw new Error(`the stack ${stack} does not run on this machine; start it first: npm start -- --stack ${stack}`);
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
  const served = clouds[cloud];
  if (served === undefined) throw new Error(`the local ${cloud} was not started with this stack: start it again`);
  const { accessKeyId, secretAccessKey } = served;
  if ("endpoint" in served)
    return {
      cloud: cloud as "aws" | "aws-cn",
      region,
      ca,
      endpoint: served.endpoint,
      credentials: { accessKeyId, secretAccessKey },
    };
  return {
    cloud: "alicloud",
    region,
    ca,
    credentials: async () => ({ accessKeyId, accessKeySecret: secretAccessKey }),
    originOf: (host) => {
      const origin = served.endpoints[host];
      // Nothing that is meant for this machine may reach the vendor's.
      if (origin === undefined) throw new BridgeError("ConfigInvalid", "open", `the local alicloud does not serve ${host}`);
      return origin;
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs and is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
