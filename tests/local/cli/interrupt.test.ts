/** What Ctrl-C ends while the tools are installed, which takes minutes the first time. */
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

test("an installation ends, and leaves nothing half made", async () => {
  const interrupt = new AbortController();
  const installing = installMinistack({ stateDir: folder, onProgress: () => interrupt.abort(), signal: interrupt.signal });
  await expect(installing).rejects.toThrow("was stopped");
  expect(await readdir(folder)).toEqual([]);
});

test("waiting for somebody else's installation ends, and theirs goes on", async () => {
  const interrupt = new AbortController();
  const target = join(folder, "tool");
  await writeFile(`${target}.lock`, String(process.pid));
  const never = async (into: string) => {
    await mkdir(join(into, "built"));
  };
  await expect(installOnce(target, never, () => interrupt.abort(), interrupt.signal)).rejects.toThrow(/abort/i);
  expect(await readdir(folder)).toEqual(["tool.lock"]);
});
