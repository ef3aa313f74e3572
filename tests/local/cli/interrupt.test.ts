/** Ctrl-C ends the installation of the tools. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installMinistack } from "../../../local/aws/ministack";
import { installOnce } from "../../../local/install-once";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "interrupt-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test("an aborted installation removes what it wrote", async () => {
  const interrupt = new AbortController();
  const installing = installMinistack({ stateDir: folder, onProgress: () => interrupt.abort(), signal: interrupt.signal });
  await expect(installing).rejects.toThrow("was stopped");
  expect(await readdir(folder)).toEqual([]);
});

test("the wait for another process's installation can be aborted, and that installation goes on", async () => {
  const interrupt = new AbortController();
  const target = join(folder, "tool");
  await writeFile(`${target}.lock`, String(process.pid));
  const never = async (into: string) => {
    await mkdir(join(into, "built"));
  };
  await expect(installOnce(target, never, () => interrupt.abort(), interrupt.signal)).rejects.toThrow(/abort/i);
  expect(await readdir(folder)).toEqual(["tool.lock"]);
});
