import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { encodeEnv, type ReceiverConfig, type Role, type RoleConfig } from "../../runtime/protocol/env";
import { generateSecret } from "../../runtime/protocol/signing";
import { type BuiltFunction, buildFunctions, FUNCTION_ROLES } from "../../scripts/build-functions";

let folder: string;
let built: BuiltFunction[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "build-functions-"));
  built = await buildFunctions({ outDir: join(folder, "first") });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const bundle = (role: Role) => join(folder, "first", role, "index.js");

test("one folder per role with nothing but index.js", async () => {
  expect(built.map(({ role }) => role)).toEqual(FUNCTION_ROLES);
  for (const { path, role, sizeBytes } of built) {
    expect(path).toBe(join(folder, "first", role));
    expect(await readdir(path)).toEqual(["index.js"]);
    expect((await stat(bundle(role))).size).toBe(sizeBytes);
  }
  expect((await readdir(join(folder, "first"))).sort()).toEqual([...FUNCTION_ROLES].sort());
});

test("the same sources give the same bytes, wherever they are written", async () => {
  await buildFunctions({ outDir: join(folder, "second") });
  for (const { role } of built) {
    const [one, two] = await Promise.all(["first", "second"].map((name) => readFile(join(folder, name, role, "index.js"))));
    expect(one?.equals(two as Buffer)).toBe(true);
    expect(one?.includes(resolve(__dirname, "../.."))).toBe(false);
  }
});

test("a second build leaves an unchanged bundle alone and removes what does not belong there", async () => {
  const before = await stat(bundle("copier"));
  await writeFile(join(folder, "first", "copier", "stray.js"), "");
  await buildFunctions({ outDir: join(folder, "first") });
  expect((await stat(bundle("copier"))).mtimeMs).toBe(before.mtimeMs);
  expect(await readdir(join(folder, "first", "copier"))).toEqual(["index.js"]);
});

test("a changed bundle is replaced", async () => {
  const original = await readFile(bundle("copier"));
  await writeFile(bundle("copier"), "old");
  await buildFunctions({ outDir: join(folder, "first") });
  expect((await readFile(bundle("copier"))).equals(original)).toBe(true);
});

describe("the bundles run in a process of their own", () => {
  let parameters: Server;

  beforeAll(async () => {
    const body = JSON.stringify({ Parameter: { Name: "/p", Type: "SecureString", Value: generateSecret() } });
    parameters = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
      response.end(body);
    });
    await new Promise<void>((done) => parameters.listen(0, "127.0.0.1", done));
  });
  afterAll(async () => {
    parameters.closeAllConnections();
    await new Promise((done) => parameters.close(done));
  });

  /** The handler's answer to an event, and what it logged. */
  function invoke<R extends Role>(role: R, config: RoleConfig<R> | undefined, event: unknown) {
    const script = `
      const { handler } = require(process.argv[1]);
      const context = { getRemainingTimeInMillis: () => 10_000 };
      handler(JSON.parse(process.argv[2]), context).then((answer) => {
        process.stderr.write("answer:" + JSON.stringify(answer ?? null), () => process.exit(0));
      });`;
    const child = spawn(process.execPath, ["--no-warnings", "-e", script, bundle(role), JSON.stringify(event)], {
      env: {
        AWS_REGION: "cn-north-1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(parameters.address() as AddressInfo).port}`,
        ...(config === undefined ? {} : encodeEnv(role, config)),
      },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk);
    });
    return new Promise<{ code: number | null; answer: unknown; logged: Record<string, unknown>[]; stderr: string }>((done) => {
      child.on("close", (code) => {
        const answer = /answer:(.*)$/s.exec(stderr)?.[1];
        const logged = stdout
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        done({ code, answer: answer === undefined ? undefined : JSON.parse(answer), logged, stderr });
      });
    });
  }

  const identity = { bridgeId: "bridge", sourceId: "aws:photos", destinationId: "aws-cn:copies", logLevel: "info" } as const;
  const auth = { kind: "token", parameter: "/p" } as const;
  const destinationSide = {
    ...identity,
    destination: { kind: "s3", bucket: "copies", region: "cn-north-1" },
    destinationPrefix: "",
    allowedSources: [{ origin: "https://photos.s3.us-east-1.amazonaws.com", pathPrefix: "/" }],
  } as const;
  const receiver: ReceiverConfig = {
    ...destinationSide,
    allowedSources: [...destinationSide.allowedSources],
    auth,
    inlineLimitBytes: 1,
    timeoutSeconds: 29,
    copier: { functionName: "copier", timeoutSeconds: 900 },
    allowedCidrs: [],
  };

  test("the receiver refuses an unsigned request", async () => {
    const event = {
      httpMethod: "POST",
      path: "/",
      headers: {},
      body: "{}",
      requestContext: { identity: { sourceIp: "203.0.113.7" } },
    };
    const { answer, logged } = await invoke("receiver", receiver, event);
    expect(answer).toMatchObject({ statusCode: 401, body: expect.stringContaining("missing-signature") });
    expect(logged).toMatchObject([
      { level: "warn", role: "receiver", bridgeId: "bridge", code: "missing-signature", address: "203.0.113.7" },
    ]);
  });

  test("the copier answers an event that is no job", async () => {
    const config = {
      ...destinationSide,
      allowedSources: [...destinationSide.allowedSources],
      timeoutSeconds: 900,
      partSizeBytes: 1,
      concurrency: 1,
    };
    expect(await invoke("copier", config, {})).toMatchObject({
      answer: { result: "failed" },
      logged: [{ level: "error", role: "copier" }],
    });
  });

  test("the sender acknowledges a message with nothing to do", async () => {
    const config: RoleConfig<"sender"> = {
      ...identity,
      source: { kind: "s3", bucket: "photos", region: "us-east-1" },
      scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 },
      deletes: "ignore",
      statusTags: false,
      deadLetterUrl: "https://sqs.us-east-1.amazonaws.com/111111111111/dead",
      receiverUrl: "https://receiver.example.com/replicate",
      auth,
      urlExpiresInSeconds: 3600,
      receiverTimeoutSeconds: 29,
      maxAttempts: 3,
    };
    const event = { Records: [{ eventSource: "aws:sqs", messageId: "m1", body: '{"Event":"s3:TestEvent"}' }] };
    expect(await invoke("sender", config, event)).toMatchObject({ code: 0, answer: { batchItemFailures: [] } });
  });

  test.each(FUNCTION_ROLES)("the %s without its configuration says what is missing", async (role) => {
    const { code, stderr } = await invoke(role, undefined, {});
    expect(code).not.toBe(0);
    expect(stderr).toContain("CROSSBORDERBRIDGE_CONFIG is not set");
  });
});
