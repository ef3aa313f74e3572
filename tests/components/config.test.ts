import fc from "fast-check";
import { ConfigInvalid, noticesOf, parseBridgeConfig } from "../../components/config";

const TOKEN = Buffer.alloc(32, 7).toString("base64");
const MIB = 1024 * 1024;

type Raw = Record<string, unknown>;
const base = (): Raw => ({
  source: { cloud: "aws", region: "us-east-1", bucket: "from-here" },
  destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" },
  allowedCidrs: ["198.51.100.0/24"],
  token: TOKEN,
});
const withSource = (source: Raw): Raw => ({ ...base(), source: { ...(base().source as Raw), ...source } });
const withDestination = (destination: Raw): Raw => ({
  ...base(),
  destination: { ...(base().destination as Raw), ...destination },
});
const without = (key: string): Raw => Object.fromEntries(Object.entries(base()).filter(([name]) => name !== key));

const parse = (raw: Raw, stack = "dev") => parseBridgeConfig(raw, { stack });
function problemsOf(raw: Raw, stack?: string): readonly string[] {
  try {
    parse(raw, stack);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
  return [];
}

describe("defaults", () => {
  test("are complete", () => {
    expect(parse(base())).toEqual({
      name: "dev",
      mode: "pull",
      direction: "one-way",
      source: { cloud: "aws", region: "us-east-1", bucket: "from-here", adopt: false },
      destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there", adopt: false, prefix: "", lifecycle: [] },
      buffer: "sqs",
      scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 },
      deletes: "ignore",
      existingObjects: "ignore",
      replication: { rules: [], timeControl: false, metrics: false, replicaModifications: false, ownership: "destination" },
      statusTags: false,
      auth: { kind: "token" },
      token: TOKEN,
      egress: "shared",
      allowedCidrs: ["198.51.100.0/24"],
      rateLimit: { requestsPerSecond: 50, burst: 100 },
      inlineLimitBytes: 8 * MIB,
      copy: { partSizeBytes: 16 * MIB, concurrency: 8, memoryMb: 1024, timeoutSeconds: 900 },
      timeouts: { senderSeconds: 90, receiverSeconds: 29, urlExpirySeconds: 1200 },
      concurrency: 10,
      maxAttempts: 20,
      probe: { enabled: false, everyMinutes: 0, sizeBytes: 131_072, lagAlarmSeconds: 300, giveUpAfterSeconds: 600 },
      logLevel: "info",
      logRetentionDays: 30,
      retainBuckets: true,
      forceDestroy: false,
      alarmContactGroups: [],
    });
  });

  test("a parsed configuration parses to itself", () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            buffer: fc.constantFrom("sqs", "none"),
            deletes: fc.constantFrom("ignore", "replicate"),
            statusTags: fc.boolean(),
            scope: fc.record(
              {
                prefixes: fc.array(fc.string({ minLength: 1, maxLength: 50 }), { maxLength: 3 }),
                tags: fc.dictionary(fc.string({ minLength: 1, maxLength: 9 }), fc.string({ maxLength: 9 }), {
                  noNullPrototype: true,
                }),
                maxSizeBytes: fc.nat(),
              },
              { requiredKeys: [] },
            ),
            copy: fc.record({ timeoutSeconds: fc.integer({ min: 60, max: 900 }) }, { requiredKeys: [] }),
            timeouts: fc.record({ senderSeconds: fc.integer({ min: 30, max: 900 }) }, { requiredKeys: [] }),
          },
          { requiredKeys: [] },
        ),
        (settings) => {
          const once = parse({ ...base(), ...settings });
          expect(parse({ ...once })).toEqual(once);
        },
      ),
    );
  });
});

describe("one error", () => {
  const cases: [string, Raw, string][] = [
    [
      "region of no partition",
      { ...withSource({ cloud: "aws-cn", region: "cn-nroth-1" }), mode: "pull" },
      'crossborderbridge:source.region = "cn-nroth-1": not a region of aws-cn; allowed: cn-north-1, cn-northwest-1',
    ],
    [
      "region of the other partition",
      withSource({ region: "cn-north-1" }),
      'crossborderbridge:source.region = "cn-north-1": not a region of aws; allowed: a region of AWS Global, such as us-east-1, eu-central-1 or ap-southeast-1',
    ],
    [
      "unknown cloud",
      withSource({ cloud: "gcp" }),
      'crossborderbridge:source.cloud = "gcp": not one of the choices; allowed: aws, aws-cn, alicloud',
    ],
    [
      "missing bucket",
      { ...base(), source: { cloud: "aws", region: "us-east-1" } },
      "crossborderbridge:source.bucket is not set: not a bucket name; allowed: 3 to 63 of",
    ],
    ["missing side", without("destination"), "crossborderbridge:destination is not set:"],
    ["bucket name", withSource({ bucket: "Upper_Case" }), 'crossborderbridge:source.bucket = "Upper_Case": not a bucket name'],
    [
      "bucket like an address",
      withSource({ bucket: "10.0.0.1" }),
      'crossborderbridge:source.bucket = "10.0.0.1": not a bucket name',
    ],
    [
      "unknown key with a neighbour",
      { ...base(), alowedCidrs: [] },
      "crossborderbridge:alowedCidrs: unknown key; did you mean allowedCidrs? allowed: source, destination, name",
    ],
    [
      "unknown key inside",
      withSource({ regoin: "x" }),
      "crossborderbridge:source.regoin: unknown key; did you mean source.region? allowed: cloud, region, bucket",
    ],
    ["unknown key of another kind", { ...base(), zzzzzzz: 1 }, "crossborderbridge:zzzzzzz: unknown key; allowed: source"],
    ["choice", { ...base(), buffer: "kafka" }, 'crossborderbridge:buffer = "kafka": not one of the choices; allowed: sqs, none'],
    ["boolean", { ...base(), statusTags: "yes" }, 'crossborderbridge:statusTags = "yes": not a boolean; allowed: true, false'],
    [
      "too many seconds",
      { ...base(), timeouts: { receiverSeconds: 30 } },
      "crossborderbridge:timeouts.receiverSeconds = 30: not a whole number of seconds in range; allowed: 1 to 29",
    ],
    [
      "fraction",
      { ...base(), concurrency: 2.5 },
      "crossborderbridge:concurrency = 2.5: not a whole number of functions in range; allowed: 2 to 1000",
    ],
    [
      "one function",
      { ...base(), concurrency: 1 },
      "crossborderbridge:concurrency = 1: not a whole number of functions in range; allowed: 2 to 1000",
    ],
    [
      "long copies",
      { ...base(), copy: { timeoutSeconds: 901 } },
      "crossborderbridge:copy.timeoutSeconds = 901: longer than a Lambda function may run; allowed: 60 to 900",
    ],
    [
      "storage class",
      withDestination({ storageClass: "COLD" }),
      'crossborderbridge:destination.storageClass = "COLD": not one of the choices; allowed: STANDARD, STANDARD_IA',
    ],
    [
      "storage class at the source",
      withSource({ storageClass: "STANDARD" }),
      "crossborderbridge:source.storageClass: unknown key;",
    ],
    [
      "retention",
      { ...base(), logRetentionDays: 2 },
      "crossborderbridge:logRetentionDays = 2: not a retention that CloudWatch Logs knows; allowed: 1, 3, 5",
    ],
    [
      "account",
      withSource({ accountId: 111111111111 }),
      "crossborderbridge:source.accountId = 111111111111: not valid; allowed: 12 digits on AWS",
    ],
    ["name", { ...base(), name: "Not_Fine" }, 'crossborderbridge:name = "Not_Fine": not valid; allowed: 1 to 32 of a-z'],
    [
      "empty allowlist",
      { ...base(), allowedCidrs: [] },
      "crossborderbridge:allowedCidrs = []: nobody could reach the receiver; allowed: the networks that the sender's requests come from",
    ],
    [
      "no network",
      { ...base(), allowedCidrs: ["10.0.0.0"] },
      'crossborderbridge:allowedCidrs[0] = "10.0.0.0": not an IPv4 network; allowed: a.b.c.d/n',
    ],
    [
      "network with host bits",
      { ...base(), allowedCidrs: ["203.0.113.7/24"] },
      'crossborderbridge:allowedCidrs[0] = "203.0.113.7/24": not an IPv4 network',
    ],
    [
      "everything, hidden in a network",
      { ...base(), allowedCidrs: ["8.8.8.8/0"] },
      'crossborderbridge:allowedCidrs[0] = "8.8.8.8/0": not an IPv4 network',
    ],
    ["no token", without("token"), "crossborderbridge:token is not set: requests could not be signed; allowed: exactly one of"],
    [
      "two tokens",
      { ...base(), auth: { tokenParameter: "/ours" } },
      'crossborderbridge:auth.tokenParameter = "/ours": crossborderbridge:token is set as well; allowed: exactly one of',
    ],
    [
      "parameter name",
      { ...without("token"), auth: { tokenParameter: "/aws/x" } },
      'crossborderbridge:auth.tokenParameter = "/aws/x": not valid; allowed: the name of an SSM SecureString',
    ],
    [
      "the same bucket",
      { ...withDestination({ cloud: "aws", region: "us-east-1", bucket: "from-here" }), mode: "pull" },
      'crossborderbridge:destination.bucket = "from-here": the source bucket itself',
    ],
    [
      "push",
      { ...base(), mode: "push" },
      'crossborderbridge:mode = "push": for alicloud -> alicloud, not for aws -> aws-cn; allowed: set mode: pull, which works for every pair of aws, aws-cn, alicloud',
    ],
    [
      "two-way",
      { ...base(), direction: "two-way" },
      'crossborderbridge:direction = "two-way": only S3\'s own replication goes both ways; allowed: one-way, or mode: native between two buckets of one partition (aws -> aws, aws-cn -> aws-cn)',
    ],
    [
      "key of the other partition",
      withDestination({ kmsKeyArn: "arn:aws:kms:cn-north-1:222222222222:key/k" }),
      'crossborderbridge:destination.kmsKeyArn = "arn:aws:kms:cn-north-1:222222222222:key/k": not a key of this side; allowed: arn:aws-cn:kms:cn-north-1:<account>:key/<id>',
    ],
    ["key of another region", withSource({ kmsKeyArn: "arn:aws:kms:us-west-2:111111111111:key/k" }), "not a key of this side"],
    ["alias", withSource({ kmsKeyArn: "arn:aws:kms:us-east-1:111111111111:alias/k" }), "(a key, not an alias)"],
    [
      "topic of the destination",
      { ...base(), alarmTopicArn: "arn:aws-cn:sns:cn-north-1:222222222222:ops" },
      'crossborderbridge:alarmTopicArn = "arn:aws-cn:sns:cn-north-1:222222222222:ops": not a topic of the source\'s region; allowed: arn:aws:sns:us-east-1:<account>:<name>',
    ],
    [
      "versions of an adopted bucket",
      withSource({ adopt: true, versioning: true }),
      "crossborderbridge:source.versioning = true: an adopted bucket's settings are never changed",
    ],
    [
      "prefix of the bridge's records",
      withDestination({ prefix: ".crossborderbridge/x/" }),
      "reserved for the bridge's own records",
    ],
    [
      "long prefix",
      withDestination({ prefix: "文".repeat(200) }),
      "too long, it leaves no room for keys; allowed: at most 512 bytes",
    ],
    [
      "long scope prefix",
      { ...base(), scope: { prefixes: ["文".repeat(342)] } },
      "not a prefix; allowed: 1 to 1024 bytes of text",
    ],
    ["empty scope suffix", { ...base(), scope: { suffixes: [""] } }, 'crossborderbridge:scope.suffixes[0] = "": not a suffix'],
    [
      "sizes the wrong way round",
      { ...base(), scope: { minSizeBytes: 10, maxSizeBytes: 9 } },
      "crossborderbridge:scope.maxSizeBytes = 9: below scope.minSizeBytes, so no object is in scope; allowed: 10 or more",
    ],
    [
      "impatient sender",
      { ...base(), timeouts: { senderSeconds: 20, receiverSeconds: 20 } },
      "crossborderbridge:timeouts.senderSeconds = 20: the sender would end before the receiver can answer; allowed: more than timeouts.receiverSeconds (20)",
    ],
    [
      "short-lived URL",
      { ...base(), timeouts: { urlExpirySeconds: 900 } },
      "crossborderbridge:timeouts.urlExpirySeconds = 900: a copier that runs for copy.timeoutSeconds (900) would outlive its URL; allowed: 1020 to 3600",
    ],
    [
      "parts beyond memory",
      { ...base(), copy: { partSizeBytes: 64 * MIB, concurrency: 16 } },
      "allowed: 2048 or more, or a smaller copy.partSizeBytes or copy.concurrency",
    ],
    [
      "emptying what is kept",
      { ...base(), forceDestroy: true },
      "crossborderbridge:forceDestroy = true: retainBuckets keeps the buckets that this would empty; allowed: false, or retainBuckets: false as well",
    ],
  ];
  test.each(cases)("%s", (_, raw, expected) => {
    const problems = problemsOf(raw);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
    expect(problems[0]).toMatch(/^crossborderbridge:/);
  });

  test("a stack's name that is no bridge name says where to set one", () => {
    expect(problemsOf(base(), "My_Stack")).toEqual([
      expect.stringMatching(/^crossborderbridge:name = "My_Stack": .*set crossborderbridge:name/),
    ]);
  });
});

test("every error comes at once, each once", () => {
  const problems = problemsOf({
    source: { cloud: "aws-cn", region: "us-east-1", bucket: "x", regoin: "", kmsKeyArn: "arn:aws:kms:us-east-1:1:key/k" },
    destination: { cloud: "aws", region: "us-east-1", bucket: "to-there", prefix: ".crossborderbridge/" },
    buffer: "kafka",
    allowedCidrs: ["8.8.8.8"],
    timeouts: { senderSeconds: 10, receiverSeconds: 60 },
    copy: { memoryMb: 256, concurrency: 64 },
    direction: "two-way",
    token: "c2hvcnQ=",
    logLevel: "loud",
  });
  expect(problems.map((problem) => problem.replace(/^crossborderbridge:([^ :]+).*$/s, "$1")).sort()).toEqual(
    [
      "allowedCidrs[0]",
      "buffer",
      "copy.memoryMb",
      "destination.prefix",
      "direction",
      "logLevel",
      "source.bucket",
      "source.kmsKeyArn",
      "source.regoin",
      "source.region",
      "timeouts.receiverSeconds",
      "token",
    ].sort(),
  );
});

describe("secrets", () => {
  const secret = "hunter2-hunter2-hunter2";
  test.each([
    ["a bad token", { ...base(), token: secret }],
    ["a token of the wrong type", { ...base(), token: [secret] }],
    [
      "a token beside a parameter",
      { ...base(), token: Buffer.from(`${secret}!`).toString("base64"), auth: { tokenParameter: "/x" } },
    ],
    ["a secret under a wrong name", { ...base(), tokn: secret }],
    ["a secret where none belongs", withSource({ secretAccessKey: secret })],
  ])("%s is not shown", (_, raw) => {
    const text = problemsOf(raw).join("\n");
    expect(text).not.toBe("");
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString("base64").slice(0, 20));
  });

  test.each([
    ["one", TOKEN, true],
    ["with the specification's prefix", `whsec_${TOKEN}`, true],
    ["two during rotation", `${TOKEN} whsec_${TOKEN}`, true],
    ["without padding", TOKEN.replace(/=+$/, ""), true],
    ["16 bytes", Buffer.alloc(16).toString("base64"), false],
    ["65 bytes", Buffer.alloc(65).toString("base64"), false],
    ["no base64", "x!".repeat(20), false],
    ["two spaces", `${TOKEN}  ${TOKEN}`, false],
    ["nothing", "", false],
  ])("a token: %s", (_, token, valid) => {
    expect(problemsOf({ ...base(), token }).length === 0).toBe(valid);
  });

  test("a token that is known only while deploying counts", () => {
    const raw = without("token");
    expect(parseBridgeConfig(raw, { stack: "dev", tokenIsDeferred: true }).token).toBeUndefined();
  });
});

describe("notices", () => {
  test.each([
    ["token auth in China", base(), ["ICP licence"]],
    ["iam auth in China", { ...base(), auth: { kind: "iam" } }, []],
    ["token auth outside China", { ...withDestination({ cloud: "aws", region: "us-west-2" }), mode: "pull" }, []],
    ["an open allowlist, written explicitly", { ...base(), auth: { kind: "iam" }, allowedCidrs: ["0.0.0.0/0"] }, ["0.0.0.0/0"]],
    ["an adopted source", { ...withSource({ adopt: true }), auth: { kind: "iam" } }, ["requiredNotification"]],
  ])("%s", (_, raw, expected) => {
    const notices = noticesOf(parse(raw));
    expect(notices).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(notices[index]).toContain(text);
  });
});
