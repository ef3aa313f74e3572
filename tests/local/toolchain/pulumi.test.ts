import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DEFAULT_STATE_DIR } from "../../../local/paths";
import { runCommand } from "../../../local/run-command";
import { ensurePulumi, findOnPath, PULUMI_VERSION } from "../../../local/toolchain/pulumi";

let folder: string;
const { PATH, CROSSBORDERBRIDGE_PULUMI } = process.env;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolchain-"));
});
afterEach(async () => {
  process.env.PATH = PATH;
  if (CROSSBORDERBRIDGE_PULUMI === undefined) delete process.env.CROSSBORDERBRIDGE_PULUMI;
  else process.env.CROSSBORDERBRIDGE_PULUMI = CROSSBORDERBRIDGE_PULUMI;
  await rm(folder, { recursive: true, force: true });
});

async function executable(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
}

/** A complete tool folder, so that nothing is installed. */
async function installed(): Promise<void> {
  await executable(join(folder, "tools", `pulumi-${PULUMI_VERSION}`, "bin", "pulumi"), "");
}

async function onPath(version: string, options: { languageHost: boolean }): Promise<string> {
  const bin = join(folder, "bin");
  await executable(join(bin, "pulumi"), version === "" ? "exit 1" : `echo ${version}`);
  if (options.languageHost) await executable(join(bin, "pulumi-language-nodejs"), "");
  process.env.PATH = `${bin}:/usr/bin:/bin`;
  return bin;
}

test("a pulumi on the PATH that is new enough and complete is used", async () => {
  delete process.env.CROSSBORDERBRIDGE_PULUMI;
  const binDir = await onPath("v3.231.4", { languageHost: true });
  expect(await ensurePulumi({ stateDir: folder })).toEqual({ pulumiPath: join(binDir, "pulumi"), binDir, version: "3.231.4" });
});

test.each([
  ["too old", "v3.199.9", true, /is version 3.199.9, below 3.208: not used/],
  ["of another major version", "v4.0.0", true, /is version 4.0.0/],
  ["broken", "", true, /is version 0.0.0/],
  ["without its language host", "v3.231.4", false, /no pulumi-language-nodejs beside it: not used/],
])("a pulumi on the PATH that is %s is not used", async (_, version, languageHost, message) => {
  delete process.env.CROSSBORDERBRIDGE_PULUMI;
  await installed();
  await onPath(version, { languageHost });
  const lines: string[] = [];
  const found = await ensurePulumi({ stateDir: folder, onProgress: (line) => lines.push(line) });
  expect(found.version).toBe(PULUMI_VERSION);
  expect(lines).toEqual([expect.stringMatching(message)]);
});

test("CROSSBORDERBRIDGE_PULUMI=build ignores the PATH, and another value is refused", async () => {
  await installed();
  await onPath("v3.231.4", { languageHost: true });
  process.env.CROSSBORDERBRIDGE_PULUMI = "build";
  expect((await ensurePulumi({ stateDir: folder })).binDir).toBe(join(folder, "tools", `pulumi-${PULUMI_VERSION}`, "bin"));
  process.env.CROSSBORDERBRIDGE_PULUMI = "download";
  await expect(ensurePulumi({ stateDir: folder })).rejects.toThrow(/is "download"; the one value it knows is "build"/);
});

test("without Go the error names what to install", async () => {
  process.env.CROSSBORDERBRIDGE_PULUMI = "build";
  process.env.PATH = folder;
  await expect(ensurePulumi({ stateDir: folder })).rejects.toThrow(/Install Pulumi .* or Go 1.26/);
});

test("the CLI of this machine runs and reports its version", async () => {
  const { pulumiPath, version } = await ensurePulumi({ stateDir: DEFAULT_STATE_DIR, onProgress: console.log });
  expect((await runCommand(pulumiPath, ["version"])).stdout.trim()).toBe(`v${version}`);
}, 900_000);

test("the PATH is searched in order, and files that cannot run are skipped", async () => {
  const [empty, text, dangling, good] = ["empty", "text", "dangling", "good"].map((name) => join(folder, name));
  for (const path of [empty, text, dangling]) await mkdir(path as string);
  await writeFile(join(text as string, "tool"), "not executable");
  await symlink(join(folder, "nowhere"), join(dangling as string, "tool"));
  await executable(join(good as string, "tool"), "");
  const path = ["", empty, join(folder, "missing"), text, dangling, good].join(":");
  expect(await findOnPath("tool", path)).toBe(join(good as string, "tool"));
  expect(await findOnPath("other", path)).toBeUndefined();
});
