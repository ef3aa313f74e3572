/** `npm start` and its like name everything that is missing at once. They run here as npm runs them, with other programs on the PATH. */
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { REPOSITORY_ROOT } from "../../local/paths";
import { VERSIONS } from "../../local/toolchain/versions";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "prerequisites-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A checkout with the launcher, and with nothing installed but tsx. */
async function checkout(): Promise<string> {
  const root = join(folder, "checkout");
  for (const path of ["scripts", "local/toolchain", "local/cli", "operator", "node_modules/tsx"])
    await mkdir(join(root, path), { recursive: true });
  for (const path of ["scripts/run.js", "scripts/prerequisites.js", "local/toolchain/tool-versions.json", "package.json"])
    await writeFile(join(root, path), await readFile(join(REPOSITORY_ROOT, path)));
  await writeFile(join(root, "Pulumi.dev.yaml"), "config:\n  crossborderbridge:source:\n    cloud: aws\n");
  await writeFile(join(root, "Pulumi.oss.yaml"), "config:\n  crossborderbridge:source:\n    cloud: alicloud\n");
  await writeFile(join(root, "node_modules/tsx/package.json"), "{}");
  await writeFile(
    join(root, "scripts/launch.js"),
    "exports.launch = async (command, args) => console.log('launched', command, ...args);",
  );
  return root;
}

/** A folder of the PATH with these programs, which are shell scripts. */
async function bin(programs: Record<string, string>): Promise<string> {
  const path = join(folder, "bin");
  await mkdir(path, { recursive: true });
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(path, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(path, name), 0o755);
  }
  return path;
}

function run(root: string, args: readonly string[], { path, node }: { path: string; node?: string }) {
  const preload = node === undefined ? [] : ["--require", node];
  const result = spawnSync(process.execPath, [...preload, join(root, "scripts/run.js"), ...args], {
    encoding: "utf8",
    // Building is the choice that asks no network.
    env: { PATH: path, CROSSBORDERBRIDGE_PULUMI: "build" },
  });
  const { status, stdout, stderr } = result;
  return { status, stdout, stderr: stderr.replaceAll(root, "ROOT") };
}

const GO = "echo go version go1.26.3 linux/amd64";
const python = (version: string) => `echo ${version}`;

test("all that is missing is named at once, each with its way out, and nothing is begun", async () => {
  const root = await checkout();
  await rm(join(root, "node_modules"), { recursive: true });
  const node = join(folder, "old.js");
  await writeFile(node, 'Object.defineProperty(process.versions, "node", { value: "18.19.1" });');
  // A file where a folder should be: nobody can write into it, not even root.
  await writeFile(join(root, "dist"), "");
  const path = await bin({ python3: python("3.9"), "python3.12": `${python("3.12")}; exit 1` });
  const { status, stdout, stderr } = run(root, ["start"], { path, node });
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  const [first, ...lines] = stderr.trimEnd().split("\n");
  expect(first).toBe("npm start cannot begin, because 5 things are missing:");
  expect(lines).toEqual([
    expect.stringMatching(
      /^ {2}- Node\.js 20\.19 or newer: this is 18\.19\.1 \(.+\)\. Install it \(.*nvm install 22\), then run: npm ci$/,
    ),
    "  - the packages of npm: node_modules is not there. Run: npm ci",
    expect.stringMatching(
      /^ {2}- Python 3\.11 or newer with venv and pip, for the local AWS: python3 is 3\.9, python3\.12 is 3\.12 without its modules venv and ensurepip\. Install it \(Debian and Ubuntu: apt install python3\.11 python3\.11-venv; /,
    ),
    "  - a folder that can be written: ROOT/dist cannot (ENOTDIR). Change its owner or rights, or copy the checkout elsewhere",
    expect.stringMatching(
      /^ {2}- the Pulumi CLI, or Go 1\.26 to build it: there is no Go on the PATH, and the CLI is to be built.*\(https:.*, https:\/\/go\.dev\/dl\/\)$/,
    ),
  ]);
});

test("with everything there the command runs with its arguments, and leaves no probe behind", async () => {
  const root = await checkout();
  const path = await bin({ python3: python("3.13"), go: GO });
  expect(run(root, ["start", "--stack", "dev", "--json"], { path })).toEqual({
    ...{ status: 0, stdout: "launched start --stack dev --json\n", stderr: "" },
  });
  expect(spawnSync("ls", ["-A", join(root, ".local"), join(root, "dist")], { encoding: "utf8" }).stdout).not.toContain("probe");
});

test.each([
  ["a stack without an end in AWS needs no Python", ["start", "--stack", "oss"], { go: GO }],
  ["nor does a preview", ["preview"], { go: GO }],
  ["the operator's command needs neither", ["bridge", "status"], {}],
  ["nor does a redeployment", ["start", "--redeploy"], {}],
  ["nor a part of the tests", ["test", "tests/runtime"], {}],
  ["nor the help", ["start", "--help"], {}],
  [
    "an older Go that fetches the one it needs is enough",
    ["preview"],
    { go: `[ $1 = env ] && echo auto || echo go version go1.22.1` },
  ],
])("%s", async (_name, args, programs) => {
  const root = await checkout();
  expect(run(root, args, { path: await bin(programs) })).toMatchObject({ status: 0, stderr: "" });
});

test.each([
  [
    "an older Go that must not fetch another",
    ["preview"],
    { go: `[ $1 = env ] && echo local || echo go version go1.22.1` },
    /go is 1\.22,/,
  ],
  ["a Go that is too old to fetch one", ["preview"], { go: "echo go version go1.20" }, /go is 1\.20,/],
  ["no Python at all", ["test"], { go: GO }, /: none of python3, .*python is on the PATH\./],
])("%s is named", async (_name, args, programs, problem) => {
  const root = await checkout();
  const { status, stderr } = run(root, args, { path: await bin(programs) });
  expect({ status, problem: stderr.split("\n")[1] }).toEqual({ status: 1, problem: expect.stringMatching(problem) });
  expect(stderr).toMatch(/ cannot begin, because one thing is missing:\n/);
});

test("tools that are installed already are looked at first", async () => {
  const root = await checkout();
  const tools = join(root, ".local", "tools");
  for (const [name, program] of [
    [`ministack-${VERSIONS.ministack}`, "python"],
    [`pulumi-${VERSIONS.pulumi}`, "pulumi"],
  ] as const) {
    await mkdir(join(tools, name, "bin"), { recursive: true });
    await symlink(process.execPath, join(tools, name, "bin", program));
  }
  expect(run(root, ["start"], { path: await bin({}) })).toMatchObject({ status: 0, stderr: "" });
});

test.each(["run.js", "prerequisites.js"])("an old Node.js can parse scripts/%s", async (file) => {
  const text = await readFile(join(REPOSITORY_ROOT, "scripts", file), "utf8");
  const compiled = (target: ts.ScriptTarget) =>
    ts.transpileModule(text, { compilerOptions: { target, module: ts.ModuleKind.CommonJS } }).outputText;
  // What is newer than ES2015 would be compiled to something else. Node.js 8 knows ES2017.
  expect(compiled(ts.ScriptTarget.ES2015)).toBe(compiled(ts.ScriptTarget.ESNext));
  expect(text).not.toMatch(/require\("node:/);
});
