import { ACCOUNT, type FcFixture, REGION, specOf, startFixture, zipOf } from "./fc-fixture";

const TTL_MS = 60_000;
let fixture: FcFixture;
beforeAll(async () => {
  fixture = await startFixture({ credentialTtlMs: TTL_MS });
});
afterAll(() => fixture.stop());

const workersOf = (name: string) => fixture.fc.workers().filter(({ functionName }) => functionName === name);

describe("a function gets", () => {
  test("the event as bytes and the documented context", async () => {
    await fixture.create(
      "context",
      `exports.handler = async (event, { logger, ...context }) => {
        logger.info("hello");
        return { buffer: Buffer.isBuffer(event), event: event.toString("hex"), context };
      };`,
      { logConfig: { project: "p", logstore: "l" } },
    );
    const { payload, requestId } = await fixture.fc.invoke(REGION, "context", Buffer.from([0, 255, 128]));
    expect(JSON.parse(payload.toString())).toEqual({
      buffer: true,
      event: "00ff80",
      context: {
        requestId,
        credentials: {
          accessKeyId: expect.stringMatching(/^STS\./),
          accessKeySecret: expect.any(String),
          securityToken: expect.any(String),
        },
        function: { name: "context", handler: "index.handler", memory: 512, timeout: 30 },
        service: { name: "", logProject: "p", logStore: "l", qualifier: "LATEST", versionId: "" },
        region: REGION,
        accountId: ACCOUNT,
      },
    });
    expect(requestId).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{12}$/);
  });

  test("only its own environment", async () => {
    process.env.OF_THE_PARENT = "secret";
    process.env.NODE_OPTIONS = "--no-deprecation";
    try {
      await fixture.create(
        "environment",
        "exports.handler = async () => ({ env: process.env, cwd: process.cwd(), send: typeof process.send });",
        {
          environmentVariables: { MINE: "1" },
        },
      );
      const { env, cwd, send } = JSON.parse((await fixture.call("environment")).text);
      expect(env).toEqual({
        PATH: "/usr/local/bin:/usr/bin:/bin",
        HOME: expect.stringContaining(fixture.runDir),
        TMPDIR: env.HOME,
        MINE: "1",
        FC_FUNC_CODE_PATH: cwd,
        FC_ACCOUNT_ID: ACCOUNT,
        FC_FUNCTION_HANDLER: "index.handler",
        FC_FUNCTION_MEMORY_SIZE: "512",
        FC_FUNCTION_NAME: "environment",
        FC_REGION: REGION,
        FC_INSTANCE_ID: expect.stringMatching(/^c-/),
        FC_VER_ID: "LATEST",
        ALIBABA_CLOUD_ACCESS_KEY_ID: expect.stringMatching(/^STS\./),
        ALIBABA_CLOUD_ACCESS_KEY_SECRET: expect.any(String),
        ALIBABA_CLOUD_SECURITY_TOKEN: expect.any(String),
        NODE_EXTRA_CA_CERTS: fixture.caPath,
        LOCAL_ALICLOUD_ENDPOINTS: '{"oss-cn-shanghai-internal.aliyuncs.com":"https://localhost:1"}',
      });
      expect(send).toBe("undefined");
    } finally {
      delete process.env.OF_THE_PARENT;
      delete process.env.NODE_OPTIONS;
    }
  });

  test("credentials that are renewed in time and valid until its timeout", async () => {
    await fixture.create("rotation", "exports.handler = async (_, { credentials }) => credentials.accessKeyId;");
    const first = (await fixture.call("rotation")).text;
    fixture.clock.now += TTL_MS - 1;
    expect((await fixture.call("rotation")).text).toBe(first);
    // Credentials of an invocation that starts at the last moment are valid until its timeout.
    expect((fixture.ram.find(first)?.expiresAt ?? 0) - fixture.clock.now).toBeGreaterThanOrEqual(30_000);
    fixture.clock.now += 1;
    const second = (await fixture.call("rotation")).text;
    expect(second).not.toBe(first);
    expect(workersOf("rotation")).toHaveLength(1);
    expect(fixture.ram.find(second)?.principal.arn).toBe(`acs:ram::${ACCOUNT}:assumed-role/function/rotation`);
  });

  test("no credentials without a role or after the role is deleted", async () => {
    const { role: _, ...spec } = specOf(
      "without-role",
      "exports.handler = async (_, c) => ('credentials' in c) + ' ' + process.env.ALIBABA_CLOUD_SECURITY_TOKEN;",
    );
    await fixture.fc.createFunction(REGION, spec);
    expect((await fixture.call("without-role")).text).toBe("false undefined");

    const role = fixture.ram.arnOf("short-lived");
    fixture.ram.roles.set("short-lived", { services: ["fc.aliyuncs.com"], allows: [] });
    await fixture.create("gone-role", "exports.handler = async () => 'ran';", { role });
    fixture.ram.deleteRole("short-lived");
    await expect(fixture.call("gone-role")).rejects.toMatchObject({ code: "EntityNotExist.Role" });
    fixture.ram.roles.set("short-lived", { services: ["fc.aliyuncs.com"], allows: [] });
    expect((await fixture.call("gone-role")).text).toBe("ran");
  });
});

describe("a handler answers with", () => {
  test.each([
    ["text", "async () => 'text'", "text"],
    ["bytes", "async () => Buffer.from('bytes')", "bytes"],
    ["an object", "async () => ({ a: 1 })", '{"a":1}'],
    ["nothing", "async () => {}", ""],
    ["the callback", "(event, context, callback) => setImmediate(callback, null, 'late')", "late"],
    ["a plain function's return", "() => 'plain'", "plain"],
  ])("%s", async (name, handler, text) => {
    const functionName = `answers-${name.replace(/\W/g, "-")}`;
    await fixture.create(functionName, `exports.handler = ${handler};`);
    expect(await fixture.call(functionName)).toEqual({ text, errorType: undefined });
  });

  test("an ES module, and a handler in a folder", async () => {
    const code = zipOf({ "lib/main.mjs": "export const run = async () => import.meta.url.endsWith('lib/main.mjs');" });
    await fixture.create("module", "", { code, handler: "lib/main.run" });
    expect((await fixture.call("module")).text).toBe("true");
  });

  test.each([
    ["a throw", "async () => { throw new TypeError('oops'); }", "UnhandledInvocationError", "TypeError"],
    ["a plain throw", "() => { throw new Error('oops'); }", "UnhandledInvocationError", "Error"],
    ["an error by callback", "(e, c, callback) => callback(new Error('oops'))", "HandledInvocationError", "Error"],
  ])("%s is an error with its stack", async (name, handler, errorType, thrown) => {
    const functionName = `fails-${name.replace(/\W/g, "-")}`;
    await fixture.create(functionName, `exports.handler = ${handler};`);
    const answer = await fixture.call(functionName);
    expect(answer.errorType).toBe(errorType);
    expect(JSON.parse(answer.text)).toEqual({
      errorMessage: "oops",
      errorType: thrown,
      stackTrace: expect.arrayContaining([expect.stringContaining("index.js")]),
    });
    // The process goes on.
    expect(workersOf(functionName)).toHaveLength(1);
  });

  test.each([
    ["code that does not load", "throw new Error('at start');", "at start"],
    ["a missing export", "exports.other = 1;", "Handler 'handler' is missing"],
  ])("%s is an error", async (name, source, message) => {
    const functionName = `load-${name.replace(/\W/g, "-")}`;
    await fixture.create(functionName, source);
    const { text, errorType } = await fixture.call(functionName);
    expect(errorType).toBe("UnhandledInvocationError");
    expect(JSON.parse(text).errorMessage).toContain(message);
  });
});

test("the log has the output in order, between start and end", async () => {
  await fixture.create(
    "log",
    `exports.handler = async (event) => {
      process.stdout.write('{"as":"is"}\\n');
      console.log("a %s", "b");
      console.error("c");
      for (let n = 0; n < 100; n++) process.stdout.write("x".repeat(10_000) + "\\n");
      return "ok";
    };`,
  );
  const { requestId } = await fixture.fc.invoke(REGION, "log", Buffer.alloc(0));
  const time = "2\\d{3}-\\d\\d-\\d\\dT[\\d:.]+Z";
  const lines = fixture.fc.logs(REGION, "log");
  expect(lines).toEqual([
    `FC Invoke Start RequestId: ${requestId}`,
    '{"as":"is"}',
    expect.stringMatching(new RegExp(`^${time} ${requestId} \\[silly\\] a b$`)),
    expect.stringMatching(new RegExp(`^${time} ${requestId} \\[error\\] c$`)),
    ...Array.from({ length: 100 }, () => "x".repeat(10_000)),
    `FC Invoke End RequestId: ${requestId}`,
  ]);
});

test("payloads of 32 MB are accepted, larger ones refused", async () => {
  await fixture.create("echo", "exports.handler = async (event) => event;");
  const largest = Buffer.alloc(32 * 1024 * 1024, 7);
  const { payload } = await fixture.fc.invoke(REGION, "echo", largest);
  expect(payload.equals(largest)).toBe(true);
  await expect(fixture.fc.invoke(REGION, "echo", Buffer.alloc(largest.length + 1))).rejects.toMatchObject({
    status: 400,
    code: "EntityTooLarge",
  });
});
