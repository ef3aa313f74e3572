/** What the configuration allows where a side is in Alibaba Cloud, and what it fills in. */
import { noticesOf } from "../../components/config";
import { defaultMode } from "../../components/config/bridge-rules";
import { CLOUDS } from "../../components/config/clouds";
import { native, pair, parse, problemsOf, pull, push, type Raw } from "./config-pairs";

const TEN_PREFIXES = Array.from({ length: 10 }, (_, index) => `${index}/`);

describe("the nine pairs", () => {
  const pairs = CLOUDS.flatMap((from) => CLOUDS.map((to) => [from, to] as const));

  test.each(pairs)("%s -> %s by pull, and again from what came out", (from, to) => {
    const config = parse(pull({ from, to }));
    expect(config.mode).toBe("pull");
    expect(parse(config as unknown as Raw)).toEqual(config);
  });

  test.each([
    ["aws", "aws", "native"],
    ["aws-cn", "aws-cn", "native"],
    ["alicloud", "alicloud", "push"],
    ["aws", "aws-cn", "pull"],
    ["aws", "alicloud", "pull"],
    ["alicloud", "aws-cn", "pull"],
  ])("%s -> %s travels by default by %s", (from, to, mode) => {
    expect(defaultMode(from, to)).toBe(mode);
  });

  test("push and native need neither a token nor an allowlist", () => {
    expect(parse(push({}, { mode: undefined })).mode).toBe("push");
    expect(parse(native()).mode).toBe("native");
    for (const cloud of ["aws", "aws-cn"])
      expect(parse(native({ from: cloud, to: cloud }, { mode: undefined })).mode).toBe("native");
  });
});

describe("defaults", () => {
  test("of a push", () => {
    const config = parse(push());
    expect(config).toMatchObject({
      buffer: "none",
      existingObjects: "ignore",
      alarmContactGroups: [],
      destination: { acceleration: "global" },
      timeouts: { senderSeconds: 3600 },
      copy: { timeoutSeconds: 900 },
    });
    expect(config.source.acceleration).toBeUndefined();
    expect(parse(config as unknown as Raw)).toEqual(config);
  });

  test("of a push inside one region", () => {
    expect(parse(push({ destination: { region: "cn-shanghai" } })).destination.acceleration).toBe("none");
  });

  test("of a pull: the source's cloud decides how events wait", () => {
    expect(parse(pull({ to: "aws" }))).toMatchObject({
      buffer: "none",
      source: { acceleration: "none" },
      timeouts: { senderSeconds: 3600, urlExpirySeconds: 1200 },
    });
    const toOss = parse(pull({ from: "aws" }));
    expect(toOss).toMatchObject({ buffer: "sqs", timeouts: { senderSeconds: 90 } });
    expect(toOss.destination.acceleration).toBeUndefined();
  });

  test("the longest copies keep a URL that S3 and OSS sign", () => {
    expect(parse(pull({ from: "aws" }, { copy: { timeoutSeconds: 3480 } })).timeouts.urlExpirySeconds).toBe(3600);
  });
});

describe("what is allowed", () => {
  test.each([
    ["a day of copying", push({}, { copy: { timeoutSeconds: 86_400 } })],
    ["a long sender", pull({ to: "aws" }, { timeouts: { senderSeconds: 86_400 } })],
    ["an operator's parameter", pull({}, { token: undefined, auth: { tokenParameter: "bridges/token" } })],
    ["an AWS signature from OSS", pull({ to: "aws-cn" }, { auth: { kind: "iam" } })],
    ["a fixed address to OSS", pull({ from: "aws" }, { egress: "static", allowedCidrs: [] })],
    ["none, said aloud", pull({ destination: { acceleration: "none" } })],
    [
      "one account, said twice",
      push({ source: { accountId: "3333333333333333" }, destination: { accountId: "3333333333333333" } }),
    ],
    ["versions on neither side", native({ source: { versioning: false }, destination: { versioning: false } })],
    ["prefixes inside ten others", native({}, { scope: { prefixes: [...TEN_PREFIXES, "0/", "1/a/", "2/b/"] } })],
    ["many prefixes that a push lists by itself", push({}, { scope: { prefixes: [...TEN_PREFIXES, "more/"] } })],
  ])("%s", (_, raw) => {
    expect(problemsOf(raw)).toEqual([]);
  });

  test.each([
    "cn-shanghai",
    "cn-hongkong",
    "cn-wuhan-lr",
    "cn-shanghai-finance-1",
    "ap-southeast-5",
    "us-east-1",
    "eu-west-1",
    "me-central-1",
    "na-south-1",
  ])("region %s", (region) => {
    expect(problemsOf(pull({ to: "aws", source: { region } }))).toEqual([]);
  });
});

describe("notices", () => {
  test.each([
    ["a pull with nothing to say", pull({ to: "aws" }), []],
    ["token auth in AWS China", pull({ to: "aws-cn" }), ["ICP licence"]],
    [
      "an open allowlist, where no fixed address could be had",
      pull({ to: "aws" }, { allowedCidrs: ["0.0.0.0/0"] }),
      ["only the signature keeps requests out."],
    ],
    ["a push", push(), []],
    [
      "settings of pull that a push does not use",
      pair({}, { mode: "push" }),
      ["Mode push sends no request across the border: token, allowedCidrs are not used."],
    ],
    [
      "what only a sender uses",
      push({}, { rateLimit: { burst: 7 }, timeouts: { senderSeconds: 90, receiverSeconds: 20, urlExpirySeconds: 1300 } }),
      ["border: rateLimit, timeouts.senderSeconds, timeouts.urlExpirySeconds are not used."],
    ],
    ["a URL's lifetime that follows from the copies", push({}, { copy: { timeoutSeconds: 3480 } }), []],
    [
      "alarms of a native replication, which has none",
      native({}, { deletes: "replicate", alarmContactGroups: ["ops"] }),
      ["Mode native leaves the work to the store itself: alarmContactGroups is not used."],
    ],
    [
      "alarms of its canaries",
      native({}, { deletes: "replicate", alarmContactGroups: ["ops"], probe: { enabled: true, everyMinutes: 15 } }),
      [],
    ],
    ["an adopted source, whose trigger the bridge adds", pull({ to: "aws", source: { adopt: true } }), []],
    [
      "an adopted destination that must be accelerated",
      push({ destination: { adopt: true } }),
      ["Enable it by hand, or set destination.acceleration: none"],
    ],
    ["deletes", push({}, { deletes: "replicate" }), ["nor when a lifecycle rule"]],
    ["many senders in Function Compute", pull({ to: "aws" }, { concurrency: 91 }), ["Function Compute keeps 91 instances"]],
    ["as many as it may reserve", pull({ to: "aws" }, { concurrency: 90 }), []],
    ["many receivers, which the rate limit bounds", pull({ from: "aws" }, { concurrency: 91 }), []],
    [
      "senders and receivers in one region",
      pull({ destination: { region: "cn-shanghai" } }, { concurrency: 46 }),
      ["Function Compute keeps 92 instances"],
    ],
    ["senders and receivers in two", pull({}, { concurrency: 46 }), []],
    [
      "senders and receivers of two accounts",
      pull(
        { source: { accountId: "3333333333333333" }, destination: { region: "cn-shanghai", accountId: "4444444444444444" } },
        { concurrency: 46 },
      ),
      [],
    ],
    ["two functions of a push", push({}, { concurrency: 50 }), ["Function Compute keeps 100 instances"]],
    ["many senders in Lambda", pull({ from: "aws", to: "aws" }, { concurrency: 91 }), []],
    ["a scope of tags", push({}, { scope: { tags: { a: "b" } } }), ["OSS sends no event when only an object's tags change"]],
  ])("%s", (_, raw, expected) => {
    const notices = noticesOf(parse(raw));
    expect(notices).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(notices[index]).toContain(text);
  });
});
