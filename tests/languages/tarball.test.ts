/** The tarball in an empty program: the component from ECMAScript modules, the command, its page, and the plugin for a program in Python. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { createClosers } from "../../local/closers";
import { quietly, TOKEN } from "../components/bridge-fixture";
import { emptyProgram, packPackage } from "../support/packed-package";
import { declaredResources, documentedProgram, listed, prepareProgram, withoutProviders } from "./fixture";
import { installPythonPackage, type PythonPackage } from "./python-package";
import { startPlugin } from "./running-plugin";

const run = promisify(execFile);
const closers = createClosers();
let program: string;
let installed: string;

beforeAll(async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "crossborderbridge-tarball-")));
  closers.add(() => rm(folder, { recursive: true, force: true }));
  program = await emptyProgram(folder, await packPackage(folder));
  installed = join(program, "node_modules", "crossborderbridge");
}, 600_000);

beforeEach(quietly);
afterAll(() => closers.closeAll());

test("a program of ECMAScript modules declares the bridge of docs/library.md", async () => {
  const files = { "Pulumi.yaml": "name: program\nruntime: nodejs\n", "index.js": await documentedProgram("ts") };
  const config = { "program:bridgeToken": TOKEN };
  const { engine } = await prepareProgram(closers, { files, config }, program);
  const plan = await engine.plan({ stack: "test" });
  expect(withoutProviders(listed(plan))).toEqual(withoutProviders(await declaredResources()));
  const sender = plan.find(({ urn }) => urn.endsWith("aws:lambda/function:Function::reports-sender"));
  expect(JSON.stringify(sender?.inputs)).toContain(join(installed, "dist", "functions", "aws-lambda", "sender"));
  expect(JSON.stringify(plan)).not.toContain(TOKEN);
});

test("errors can be told apart there", async () => {
  const code = `
    import { ConfigInvalid, CrossBorderBridge, on } from "crossborderbridge";
    try { new CrossBorderBridge("reports", { source: { cloud: "AWS" } }); } catch (error) {
      console.log(error instanceof ConfigInvalid, typeof on, error.problems[0]);
    }`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code], { cwd: program });
  expect(stdout).toMatch(
    /^true function CrossBorderBridge "reports": source\.cloud = "AWS": not one of the choices; did you mean aws\?/,
  );
});

/** As `npx crossborderbridge`. */
const COMMAND = ["node_modules", ".bin", "crossborderbridge"];
const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);

test("the command runs", async () => {
  const { version } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as { version: string };
  const npx = await run("npx", ["--no-install", "crossborderbridge", "--version"], { cwd: program });
  expect(npx.stdout).toBe(`${version}\n`);
  const help = await run(join(program, ...COMMAND), ["--help"], { cwd: program, env: { PATH } });
  expect(help.stdout).toMatch(/^Usage: crossborderbridge /);
});

const BRIDGE = {
  stack: "production",
  settings: {
    source: { cloud: "aws", region: "us-east-1", bucket: "from-here" },
    destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" },
    allowedCidrs: ["192.0.2.0/24"],
    name: "reports",
  },
  outputs: { sourceBucket: "from-here", destinationBucket: "to-there", queueUrl: "http://127.0.0.1:1/1/work", notices: [] },
};

/** A cloud on 127.0.0.1 that refuses everything. */
async function refusingCloud(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(403, { "content-type": "application/xml" });
    response.end("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  closers.add(() => server.close());
  closers.add(() => server.closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("its page is served, with what it knows of the bridge", async () => {
  await writeFile(join(program, "bridge.json"), JSON.stringify(BRIDGE));
  const credentials = { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "a-secret", AWS_MAX_ATTEMPTS: "1" };
  const env = { PATH, HOME: program, AWS_ENDPOINT_URL: await refusingCloud(), ...credentials };
  const watch = spawn(join(program, ...COMMAND), ["watch", "--outputs", "bridge.json", "--json"], { cwd: program, env });
  const ended = once(watch, "exit");
  try {
    const lines = createInterface(watch.stdout);
    const [line] = (await Promise.race([once(lines, "line"), ended.then(() => [""])])) as [string];
    const { origin, hash } = new URL((JSON.parse(line) as { url: string }).url);
    for (const [path, file] of [
      ["/", "index.html"],
      ["/app.js", "app.js"],
      ["/app.css", "app.css"],
    ] as const) {
      const answer = await fetch(`${origin}${path}`);
      expect(await answer.text()).toBe(await readFile(join(installed, "dist", "page", file), "utf8"));
    }
    const snapshot = await firstSnapshot(`${origin}/api/events`, hash.replace("#token=", ""));
    expect(snapshot).toMatchObject({ stack: "production", source: { reachable: false }, destination: { reachable: false } });
  } finally {
    watch.kill("SIGINT");
  }
  expect(await ended).toEqual([130, null]);
});

/** The first look of the page at the bridge, from its stream of events. */
async function firstSnapshot(url: string, token: string): Promise<unknown> {
  const { body } = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  let text = "";
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    text += Buffer.from(part).toString();
    const [, data] = /^event: snapshot\ndata: (.*)\n$/m.exec(text) ?? [];
    if (data !== undefined) return JSON.parse(data);
  }
  throw new Error(`the stream ended without a snapshot: ${text}`);
}

describe("a program in Python", () => {
  const PULUMI_YAML = "name: reports\nruntime: python\n";
  let python: PythonPackage;
  let plugin: Awaited<ReturnType<typeof startPlugin>>;

  beforeAll(async () => {
    const { main } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as { main: string };
    plugin = await startPlugin([join(installed, main)]);
    closers.add(() => plugin.stop());
    python = await installPythonPackage(closers, await plugin.schema());
  }, 900_000);

  async function planOf(source: string) {
    const files = { "Pulumi.yaml": PULUMI_YAML, "__main__.py": source };
    const config = { "reports:token": TOKEN };
    const options = { files, config, language: "python", binDirs: [python.binDir], plugin } as const;
    const { engine } = await prepareProgram(closers, options, python.folder);
    return engine.plan({ stack: "test" });
  }

  test("plans the resources that a program in TypeScript declares", async () => {
    const plan = await planOf(await documentedProgram("python"));
    expect(listed(plan)).toEqual(await declaredResources());
    expect(JSON.stringify(plan)).not.toContain(TOKEN);
  });

  test("gets the component's own error for a wrong argument", async () => {
    const wrong = (await documentedProgram("python")).replace('"cloud": "aws",', '"cloud": "AWS",');
    await expect(planOf(wrong)).rejects.toThrow(
      /CrossBorderBridge \\"reports\\": source.cloud = \\"AWS\\": not one of the choices; did you mean aws\?/,
    );
  });
});
