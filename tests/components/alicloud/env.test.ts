/** The env contract of each function, as its handler will parse it. */
import { CONFIG_VARIABLE, parseEnv, type Role } from "../../../runtime/protocol/env";
import type { Recording } from "../../support/record-resources";
import { quietly } from "../bridge-fixture";
import { ACCOUNT, inOss, ossDestination, ossSource, push, recorded } from "./fixture";

beforeEach(quietly);

const FUNCTION = "alicloud:fc/v3Function:V3Function";

function envOf<R extends Role>(recording: Recording, role: R) {
  const { environmentVariables } = recording.get(`b-${role}`, FUNCTION).inputs as {
    environmentVariables: Record<string, string>;
  };
  expect(Object.keys(environmentVariables).sort()).toEqual(["CODE_SHA256", CONFIG_VARIABLE]);
  return parseEnv(role, environmentVariables);
}

const DEAD_LETTERS = `https://${ACCOUNT}.mns.cn-shanghai.aliyuncs.com/queues/crossborderbridge-b-dead-letters`;
const SCOPE = { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 };

describe("what a handler reads", () => {
  test("the sender", async () => {
    expect(envOf(await recorded(ossSource({ source: { acceleration: "overseas" } })), "sender")).toEqual({
      bridgeId: "b",
      sourceId: "alicloud:from-shanghai",
      destinationId: "aws-cn:to-there",
      logLevel: "info",
      source: {
        kind: "oss",
        bucket: "from-shanghai",
        region: "cn-shanghai",
        versioned: true,
        network: "internal",
        presignNetwork: "accelerate-overseas",
      },
      scope: SCOPE,
      deletes: "ignore",
      statusTags: false,
      deadLetterUrl: DEAD_LETTERS,
      receiverUrl: "https://api1.execute-api.cn-north-1.amazonaws.com.cn/v1/notices",
      auth: { kind: "token", parameter: "crossborderbridge/b/source/token" },
      urlExpiresInSeconds: 1200,
      receiverTimeoutSeconds: 29,
      maxAttempts: 20,
    });
  });

  test("the receiver", async () => {
    const recording = await recorded(
      ossDestination({
        destination: { storageClass: "IA", kmsKeyId: "key-2", prefix: "copies/" },
        rateLimit: { requestsPerSecond: 5, burst: 20 },
      }),
    );
    expect(envOf(recording, "receiver")).toEqual({
      bridgeId: "b",
      sourceId: "aws:from-here",
      destinationId: "alicloud:to-silicon-valley",
      logLevel: "info",
      destination: {
        kind: "oss",
        bucket: "to-silicon-valley",
        region: "us-west-1",
        versioned: true,
        network: "internal",
        storageClass: "IA",
        kmsKeyId: "key-2",
      },
      destinationPrefix: "copies/",
      controlBucket: "to-silicon-valley-b-bridge-control",
      allowedSources: [{ origin: "https://from-here.s3.us-east-1.amazonaws.com", pathPrefix: "/" }],
      auth: { kind: "token", parameter: "crossborderbridge/b/destination/token" },
      inlineLimitBytes: 8 * 1024 * 1024,
      timeoutSeconds: 29,
      copier: { functionName: "crossborderbridge-b-copier", timeoutSeconds: 900 },
      allowedCidrs: ["198.51.100.0/24"],
      rateLimit: { requestsPerSecond: 1, burst: 4 },
    });
    expect(recording.get("b-receiver-concurrency").inputs.reservedConcurrency).toBe(5);
  });

  test("a fixed address of the sender's is in the receiver's allowlist", async () => {
    const recording = await recorded(ossDestination({ egress: "static", allowedCidrs: [] }));
    expect(envOf(recording, "receiver").allowedCidrs).toEqual(["203.0.113.7/32"]);
  });

  test("the copier", async () => {
    expect(envOf(await recorded(inOss()), "copier")).toEqual({
      bridgeId: "b",
      sourceId: "alicloud:from-shanghai",
      destinationId: "alicloud:to-silicon-valley",
      logLevel: "info",
      destination: { kind: "oss", bucket: "to-silicon-valley", region: "us-west-1", versioned: true, network: "internal" },
      destinationPrefix: "",
      controlBucket: "to-silicon-valley-b-bridge-control",
      allowedSources: [{ origin: "https://from-shanghai.oss-cn-shanghai.aliyuncs.com", pathPrefix: "/" }],
      timeoutSeconds: 900,
      partSizeBytes: 16 * 1024 * 1024,
      concurrency: 8,
    });
  });

  test("an AWS receiver lets a source in OSS be read", async () => {
    const recording = await recorded(ossSource({ source: { acceleration: "global" } }));
    const { environment } = recording.get("b-receiver", "aws:lambda/function:Function").inputs as {
      environment: { variables: Record<string, string> };
    };
    expect(parseEnv("receiver", environment.variables).allowedSources).toEqual([
      { origin: "https://from-shanghai.oss-accelerate.aliyuncs.com", pathPrefix: "/" },
    ]);
  });

  test("the dispatcher and the pusher", async () => {
    const recording = await recorded(
      push({ deletes: "replicate", statusTags: true, copy: { timeoutSeconds: 7200 }, timeouts: { receiverSeconds: 10 } }),
    );
    const common = {
      bridgeId: "b",
      sourceId: "alicloud:from-shanghai",
      destinationId: "alicloud:to-silicon-valley",
      logLevel: "info",
      source: { kind: "oss", bucket: "from-shanghai", region: "cn-shanghai", versioned: true, network: "internal" },
      scope: SCOPE,
      deletes: "replicate",
      deadLetterUrl: DEAD_LETTERS,
    };
    expect(envOf(recording, "dispatcher")).toEqual({ ...common, flowName: "crossborderbridge-b-flow" });
    expect(envOf(recording, "pusher")).toEqual({
      ...common,
      destination: { kind: "oss", bucket: "to-silicon-valley", region: "us-west-1", versioned: true, network: "accelerate" },
      destinationPrefix: "",
      controlBucket: "from-shanghai-b-bridge-control",
      statusTags: true,
      inlineLimitBytes: 8 * 1024 * 1024,
      inlineTimeoutSeconds: 10,
      timeoutSeconds: 7200,
      partSizeBytes: 16 * 1024 * 1024,
      concurrency: 8,
      maxAttempts: 20,
    });
  });

  test("whether an adopted bucket keeps versions is what OSS says", async () => {
    const recording = await recorded(
      push({ source: { bucket: "plain-shanghai", adopt: true }, destination: { bucket: "kept-silicon-valley", adopt: true } }),
    );
    const { source, destination } = envOf(recording, "pusher");
    expect([source, destination]).toEqual([
      expect.objectContaining({ bucket: "plain-shanghai", versioned: false }),
      expect.objectContaining({ bucket: "kept-silicon-valley", versioned: true }),
    ]);
  });

  test("with auth iam the sender has the invoker's key by name, and no environment holds a secret", async () => {
    const recording = await recorded(ossSource({ auth: { kind: "iam" } }));
    expect(envOf(recording, "sender").auth).toEqual({
      kind: "iam",
      parameter: "crossborderbridge/b/source/token",
      invokerParameter: "crossborderbridge/b/source/invoker",
      region: "cn-north-1",
    });
    expect(JSON.stringify(recording.get("b-source-invoker").inputs.value)).toContain("mock-secret-access-key");
    for (const { type, inputs } of recording.resources)
      if (type === FUNCTION) expect(JSON.stringify(inputs)).not.toMatch(/mock-secret-access-key|BwcHBwcH/);
  });
});
