/** Packs the package, unpacks it in an empty folder, and uses its command and its API from there, as another project would. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const PACKAGE = join(__dirname, "..");
const REPOSITORY = join(PACKAGE, "..", "..");
const run = promisify(execFile);

interface Manifest {
  name: string;
  dependencies: Record<string, string>;
}

let manifest: Manifest;
let folder: string;
let packed: string[];

beforeAll(async () => {
  manifest = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8")) as Manifest;
  await run(process.execPath, [join(PACKAGE, "scripts", "build.mjs")]);
  folder = await realpath(await mkdtemp(join(tmpdir(), "local-alicloud-package-")));
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: PACKAGE });
  const [tarball] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  packed = tarball.files.map(({ path }) => path);
  const installed = join(folder, "node_modules", manifest.name);
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", join(folder, basename(tarball.filename)), "-C", installed, "--strip-components=1"]);
  // npm would install the declared dependencies, and the consumer's own ali-oss.
  for (const name of [...Object.keys(manifest.dependencies), "ali-oss"])
    await symlink(join(REPOSITORY, "node_modules", name), join(folder, "node_modules", name));
}, 240_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test("the tarball holds the compiled package, its README and its licence, and nothing else", () => {
  expect(packed).toEqual(
    expect.arrayContaining([
      "LICENSE",
      "README.md",
      "package.json",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/cli.js",
      "dist/fc/bootstrap.cjs",
      "dist/fc/custom-network.cjs",
    ]),
  );
  expect(packed.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/.+\.(js|cjs|d\.ts))$/.test(path))).toEqual([]);
});

test("its modules import the declared dependencies and no other package", async () => {
  const imported = new Set<string>();
  for (const path of packed.filter((name) => /\.c?js$/.test(name))) {
    const text = await readFile(join(folder, "node_modules", manifest.name, path), "utf8");
    for (const [, specifier = ""] of text.matchAll(/\brequire\("([^"]+)"\)/g)) imported.add(specifier);
  }
  const packages = [...imported].filter(
    (name) => !name.startsWith(".") && !name.startsWith("node:") && !builtinModules.includes(name),
  );
  expect(packages.sort()).toEqual(Object.keys(manifest.dependencies).sort());
});

test("the dependencies are the versions that the repository tests with", async () => {
  for (const [name, version] of Object.entries(manifest.dependencies)) {
    const installed = JSON.parse(await readFile(join(REPOSITORY, "node_modules", name, "package.json"), "utf8")) as {
      version: string;
    };
    expect([name, version]).toEqual([name, installed.version]);
  }
});

interface Ready {
  accessKeyId: string;
  accessKeySecret: string;
  caPath: string;
  regions: Record<string, { oss: { public: string } }>;
}

const bin = () => join(folder, "node_modules", manifest.name, "dist", "cli.js");

async function startCommand(...args: string[]): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = spawn(process.execPath, [bin(), "--json", "--regions", "cn-shanghai", ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.endsWith("\n")) break;
  }
  return { child, ready: JSON.parse(text) as Ready };
}

async function stopCommand(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.kill(signal);
  return exited;
}

const ALI_OSS = `
const { readFileSync } = require("node:fs");
const { Agent } = require("node:https");
const OSS = require("ali-oss");
const { accessKeyId, accessKeySecret, caPath, regions } = JSON.parse(process.argv[2]);
const client = new OSS({
  accessKeyId, accessKeySecret, authorizationV4: true, region: "oss-cn-shanghai", endpoint: regions["cn-shanghai"].oss.public,
  sldEnable: true, httpsAgent: new Agent({ ca: readFileSync(caPath) }), bucket: "from-ali-oss",
});
(async () => {
  await client.putBucket("from-ali-oss");
  await client.put("dir/hello.txt", Buffer.from("Hello"));
  const { content } = await client.get("dir/hello.txt");
  const { objects } = await client.listV2({});
  console.log(JSON.stringify([content.toString(), objects.map(({ name }) => name)]));
})();
`;

test.each<NodeJS.Signals>(["SIGINT", "SIGTERM"])(
  "the command serves ali-oss, and ends at %s without leaving a file",
  async (signal) => {
    const { child, ready } = await startCommand();
    await writeFile(join(folder, "client.js"), ALI_OSS);
    const { stdout } = await run(process.execPath, ["client.js", JSON.stringify(ready)], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual(["Hello", ["dir/hello.txt"]]);
    expect(existsSync(ready.caPath)).toBe(true);
    expect(await stopCommand(child, signal)).toBe(0);
    expect(existsSync(join(ready.caPath, "..", ".."))).toBe(false);
  },
);

const OSS2 = `
import json, sys, oss2
cloud = json.loads(sys.argv[1])
key = (cloud["accessKeyId"], cloud["accessKeySecret"])
endpoint = cloud["regions"]["cn-shanghai"]["oss"]["public"].replace("localhost", "127.0.0.1")
answers = []
for name, auth in (("v1", oss2.Auth(*key)), ("v4", oss2.ProviderAuthV4(oss2.StaticCredentialsProvider(*key)))):
    bucket = oss2.Bucket(auth, endpoint, "from-oss2-" + name, region="cn-shanghai")
    bucket.create_bucket()
    bucket.put_object("dir/hello.txt", "Hello")
    answers.append([bucket.get_object("dir/hello.txt").read().decode(), [found.key for found in oss2.ObjectIterator(bucket)]])
print(json.dumps(answers))
`;

test("the command serves oss2, the SDK for Python, with signatures of version 1 and 4", async () => {
  const python = await installOss2();
  const { child, ready } = await startCommand();
  try {
    const env = { ...process.env, REQUESTS_CA_BUNDLE: ready.caPath };
    const { stdout } = await run(python, ["-c", OSS2, JSON.stringify(ready)], { env });
    expect(JSON.parse(stdout)).toEqual([
      ["Hello", ["dir/hello.txt"]],
      ["Hello", ["dir/hello.txt"]],
    ]);
  } finally {
    await stopCommand(child, "SIGTERM");
  }
}, 300_000);

/** A virtual environment with oss2, made once in the repository's folder of tools. */
async function installOss2(): Promise<string> {
  const tools = join(REPOSITORY, ".local", "tools");
  const target = join(tools, "oss2-2.19.1");
  const python = join(target, "bin", "python");
  if (existsSync(python)) return python;
  await mkdir(tools, { recursive: true });
  const draft = await mkdtemp(join(tools, ".oss2-"));
  await run("python3", ["-m", "venv", draft]);
  const requirements = join(__dirname, "oss2-requirements.txt");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", requirements];
  await run(join(draft, "bin", "python"), pip, { timeout: 240_000 });
  // Rename it when it is complete, so that an interrupted installation is not used.
  await rename(draft, target);
  return python;
}

test.each([
  [["--regions", "Shanghai"], "different region ids"],
  [["--regions", "cn-shanghai,cn-shanghai"], "different region ids"],
  [["--account-id", "12"], "16 digits"],
  [["--first-port", "70000"], "1 to 65535"],
  [["--access-key-id", "test"], "--access-key-id and --access-key-secret go together"],
  [["--cert", "cert.pem"], "--cert and --key go together"],
  [["--cert", "missing.pem", "--key", "missing.pem"], "--cert: the file missing.pem does not exist or cannot be read"],
  [["--unknown"], "unknown option '--unknown'"],
  [["serve"], "too many arguments"],
])("the command refuses %j with one sentence", async (args, reason) => {
  const failure = await run(process.execPath, [bin(), ...args], { cwd: folder }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 1, stdout: "" });
  const { stderr } = failure as { stderr: string };
  expect(stderr).toContain(reason);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("--data-dir keeps buckets, objects and the certificate, and the access key is the given one", async () => {
  const args = ["--data-dir", "data", "--access-key-id", "test", "--access-key-secret", "secret"];
  const first = await startCommand(...args);
  await run(process.execPath, ["client.js", JSON.stringify(first.ready)], { cwd: folder });
  await stopCommand(first.child, "SIGINT");
  const second = await startCommand(...args);
  try {
    expect(second.ready).toMatchObject({ accessKeyId: "test", accessKeySecret: "secret", caPath: first.ready.caPath });
    expect(await readdir(join(folder, "data", "oss", "buckets"))).toEqual(["from-ali-oss"]);
    // The bucket exists already when the client runs again.
    const { stdout } = await run(process.execPath, ["client.js", JSON.stringify(second.ready)], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual(["Hello", ["dir/hello.txt"]]);
  } finally {
    await stopCommand(second.child, "SIGINT");
  }
});

const PROGRAM = `
const { zipSync, strToU8 } = require("fflate");
const { startLocalAlicloud } = require("local-alicloud");
(async () => {
  const cloud = await startLocalAlicloud({ regions: ["cn-shanghai"], functionEnvironment: () => ({ GREETING: "Hello" }) });
  const code = "exports.handler = async (event) => process.env.GREETING + ' ' + JSON.parse(event).name;";
  await cloud.fc.createFunction("cn-shanghai", {
    functionName: "greet", runtime: "nodejs20", handler: "index.handler", code: Buffer.from(zipSync({ "index.js": strToU8(code) })),
    cpu: 0.05, memorySize: 128, diskSize: 512, timeout: 10, environmentVariables: {}, internetAccess: true, instanceConcurrency: 1,
  });
  const { payload } = await cloud.fc.invoke("cn-shanghai", "greet", Buffer.from('{"name":"OSS"}'));
  await cloud.stop();
  console.log(payload.toString());
})();
`;

test("a program starts it by its API and runs a function", async () => {
  await writeFile(join(folder, "program.js"), PROGRAM);
  const { stdout } = await run(process.execPath, ["program.js"], { cwd: folder });
  expect(stdout).toBe("Hello OSS\n");
});
