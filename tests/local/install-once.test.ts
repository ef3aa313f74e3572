import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installOnce } from "../../local/install-once";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "install-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("parallel calls build once and leave no other file", async () => {
  let builds = 0;
  const target = join(folder, "tool");
  const build = async (into: string) => {
    builds++;
    await writeFile(join(into, "file"), "whole");
  };
  await Promise.all([1, 2, 3].map(() => installOnce(target, build)));
  await installOnce(target, build);
  expect(builds).toBe(1);
  expect(await readdir(folder)).toEqual(["tool"]);
  expect(await readFile(join(target, "file"), "utf8")).toBe("whole");
});

test("a failed build leaves no file, and the next one can succeed", async () => {
  const target = join(folder, "tool");
  const failing = installOnce(target, async (into) => {
    await writeFile(join(into, "half"), "");
    throw new Error("no network");
  });
  await expect(failing).rejects.toThrow("no network");
  expect(await readdir(folder)).toEqual([]);
  await installOnce(target, (into) => writeFile(join(into, "file"), ""));
  expect(await readdir(target)).toEqual(["file"]);
});

test("takes over from a process that died while it built", async () => {
  const target = join(folder, "tool");
  // No process has this id: it is above the kernel's limit.
  await writeFile(`${target}.lock`, "4194305");
  await mkdir(join(folder, ".tool-left"));
  await installOnce(target, (into) => writeFile(join(into, "file"), ""));
  expect(await readdir(target)).toEqual(["file"]);
  expect(await readdir(folder)).toEqual(["tool"]);
});
