/** Writes the file by which `npm run bridge -- <command> --local` finds a running stack. `operator/local-session.ts` reads it. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isObject, parseJson } from "../../runtime/protocol/json";
import { isErrno } from "../errno";
import type { LocalStack } from "../local-stack";
import { DEFAULT_STATE_DIR } from "../paths";
import { isRunning } from "../run-command";

/** Where a running stack takes requests for a redeployment. */
export interface RedeployAddress {
  url: string;
  token: string;
}

export const OPERATOR_FILES = join(DEFAULT_STATE_DIR, "operator");

/**
 * @param redeploy where `npm start -- --redeploy` asks
 * @returns a function that removes the file
 */
export async function writeOperatorFile(
  name: string,
  { clouds, outputs, settings }: Pick<LocalStack, "clouds" | "outputs" | "settings">,
  folder = OPERATOR_FILES,
  redeploy?: RedeployAddress,
): Promise<() => Promise<void>> {
  const path = join(folder, `${name}.json`);
  const session = { pid: process.pid, settings, outputs, caFile: clouds.caPath, clouds: accessTo(clouds), redeploy };
  await mkdir(folder, { recursive: true });
  const text = JSON.stringify(session);
  // The rename makes the file appear whole; it holds secrets.
  const written = `${path}.${process.pid}`;
  // What an earlier process with this number left may have another mode.
  await rm(written, { force: true });
  await writeFile(written, text, { mode: 0o600, flag: "wx" });
  await rename(written, path);
  return async () => {
    // Another run of the same stack may have replaced the file.
    if ((await readFile(path, "utf8").catch(() => undefined)) === text) await rm(path, { force: true });
  };
}

/** What the file of a stack has, if the process that wrote it runs. */
export async function readRunning(name: string, folder = OPERATOR_FILES): Promise<({ pid: number } & object) | undefined> {
  const text = await readFile(join(folder, `${name}.json`), "utf8").catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return "";
    throw error;
  });
  const session = parseJson(text);
  if (!isObject(session)) return undefined;
  const { pid } = session;
  return typeof pid === "number" && pid > 0 && isRunning(pid) ? { ...session, pid } : undefined;
}

function accessTo(clouds: LocalStack["clouds"]) {
  const partition = ({ endpoint, credentials: { accessKeyId, secretAccessKey } }: LocalStack["clouds"]["aws"]) => ({
    endpoint,
    accessKeyId,
    secretAccessKey,
  });
  return {
    ...(clouds.has("aws") ? { aws: partition(clouds.aws), "aws-cn": partition(clouds["aws-cn"]) } : {}),
    ...(clouds.has("alicloud") ? { alicloud: alicloud(clouds.alicloud) } : {}),
  };
}

function alicloud({ endpoints, ram: { root } }: LocalStack["clouds"]["alicloud"]) {
  return { endpoints, accessKeyId: root.accessKeyId, secretAccessKey: root.accessKeySecret };
}
