/** Writes the file by which `npm run bridge -- <command> --local` finds a running stack. `operator/local-session.ts` reads it. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LocalStack } from "../local-stack";
import { DEFAULT_STATE_DIR } from "../paths";

/** @returns a function that removes the file */
export async function writeOperatorFile(
  name: string,
  { clouds, outputs, settings }: LocalStack,
  folder = join(DEFAULT_STATE_DIR, "operator"),
): Promise<() => Promise<void>> {
  const path = join(folder, `${name}.json`);
  const session = { pid: process.pid, settings, outputs, caFile: clouds.caPath, clouds: accessTo(clouds) };
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
