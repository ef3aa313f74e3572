import { pino } from "pino";
import { createLogger, type LoggerOptions } from "../../../runtime/platforms/logger";
import { BridgeError } from "../../../runtime/stores/errors";

const PRESIGNED =
  "https://bucket.s3.amazonaws.com/key?X-Amz-Credential=AKIA1234%2F20260301&X-Amz-Signature=deadbeef&X-Amz-Security-Token=token1";

function setUp(level: LoggerOptions["level"] = "debug") {
  const lines: Record<string, unknown>[] = [];
  const texts: string[] = [];
  const logger = createLogger({
    level,
    fields: { role: "sender", bridgeId: "bridge" },
    destination: {
      write(line) {
        texts.push(line);
        lines.push(JSON.parse(line) as Record<string, unknown>);
      },
    },
  });
  return { logger, lines, texts };
}

test("one JSON line per call, with its fields and without process details", () => {
  const { logger, lines, texts } = setUp();
  logger.info("notice", { key: "a b/中文", result: "replicated", bytesMoved: 3 });
  expect(lines).toEqual([
    {
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      role: "sender",
      bridgeId: "bridge",
      key: "a b/中文",
      result: "replicated",
      bytesMoved: 3,
      message: "notice",
    },
  ]);
  expect(texts[0]).toMatch(/^[^\n]*\n$/);
});

test("a line has the values that pino writes", () => {
  const { logger, lines } = setUp();
  const expected: Record<string, unknown>[] = [];
  const library = pino(
    { base: { role: "sender", bridgeId: "bridge" }, messageKey: "message", formatters: { level: (level) => ({ level }) } },
    { write: (line) => void expected.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const details = {
    text: 'quotes " and \\ and \u2028 and \u0000 and \ud800',
    none: undefined,
    nothing: null,
    notFinite: [Number.NaN, Number.POSITIVE_INFINITY],
    nested: { list: [1, { yes: true }], empty: {} },
  };
  logger.warn("happened", details);
  library.warn(details, "happened");
  expect(lines).toEqual(expected.map((line) => ({ ...line, time: expect.any(String) })));
});

test("a value that cannot be written as JSON loses only itself", () => {
  const { logger, lines } = setUp();
  const toJSON = () => {
    throw new Error("no");
  };
  logger.info("x", { toJSON, inner: { toJSON, left: 1 }, call: () => 1, symbol: Symbol("s") });
  expect(lines).toMatchObject([{ message: "x", inner: { left: 1 } }]);
});

test.each([
  ["debug", ["debug", "info", "warn", "error"]],
  ["info", ["info", "warn", "error"]],
  ["warn", ["warn", "error"]],
  ["error", ["error"]],
] as const)("at %s", (level, expected) => {
  const { logger, lines } = setUp(level);
  for (const at of ["debug", "info", "warn", "error"] as const) logger[at]("x");
  expect(lines.map((line) => line.level)).toEqual(expected);
});

describe("credentials are redacted", () => {
  test.each<[string, Record<string, unknown>]>([
    ["by name", { url: "anything1", sourceUrl: "anything1", receiver_url: "anything1" }],
    [
      "by name, nested",
      { notice: { url: "anything1", headers: { Authorization: "anything1", "webhook-signature": "anything1" } } },
    ],
    ["by name, in a list", { list: [{ secretAccessKey: "anything1" }, { sessionToken: "anything1", password: "anything1" }] }],
    ["by value", { text: `GET ${PRESIGNED} failed` }],
    ["in a URL object", { where: new URL(PRESIGNED) }],
    ["without its host", { text: "X-Amz-Signature=deadbeef and X-Amz-Credential=AKIA1234" }],
    ["of OSS", { text: "x-oss-signature=deadbeef&x-oss-security-token=token1" }],
    ["a signing secret", { text: "whsec_deadbeefdeadbeef" }],
    ["in an error", { error: new Error(`GET ${PRESIGNED}`) }],
    ["in an error's cause", { error: new Error("outer", { cause: new Error(PRESIGNED) }) }],
    ["in bytes", { body: Buffer.from("deadbeef") }],
  ])("%s", (_name, fields) => {
    const { logger, texts } = setUp();
    logger.error("failed", fields);
    expect(texts.join("")).not.toMatch(/anything1|deadbeef|AKIA1234|token1/);
  });

  test("in the message itself", () => {
    const { logger, texts } = setUp();
    logger.warn(`GET ${PRESIGNED} failed`);
    expect(texts[0]).toContain("https://bucket.s3.amazonaws.com/key?[redacted]");
    expect(texts[0]).not.toContain("deadbeef");
  });

  test("harmless values stay readable", () => {
    const { logger, lines } = setUp();
    logger.info("x", {
      key: "secret/url/token.txt",
      servingCached: true,
      sizes: [1, 2],
      when: new Date(0),
      none: undefined,
      nil: null,
    });
    expect(lines[0]).toMatchObject({
      key: "secret/url/token.txt",
      servingCached: true,
      sizes: [1, 2],
      when: "1970-01-01T00:00:00.000Z",
      nil: null,
    });
  });
});

test("errors keep their kind, status and cause", () => {
  const { logger, lines } = setUp();
  const cause = Object.assign(new Error("slow down"), { name: "ThrottlingException", $metadata: { httpStatusCode: 429 } });
  logger.error("failed", { error: new BridgeError("RateLimited", "enqueue", "the queue", { cause }) });
  expect(lines[0]?.error).toMatchObject({
    name: "BridgeError",
    kind: "RateLimited",
    op: "enqueue",
    message: "the queue",
    stack: expect.stringContaining("logger.test"),
    cause: { name: "ThrottlingException", message: "slow down", status: 429 },
  });
});

test("cycles, great depth and long texts are cut", () => {
  const { logger, texts } = setUp();
  const cycle: Record<string, unknown> = { text: "x".repeat(100_000), count: 10n };
  cycle.self = cycle;
  const error = new Error("loop");
  error.cause = error;
  logger.info("x", { cycle, error });
  expect(texts[0]?.length).toBeLessThan(100_000);
  expect(texts[0]).toContain("[deep]");
});
