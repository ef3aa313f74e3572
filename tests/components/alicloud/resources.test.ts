/** What the children are told: settings that decide safety. */
import { isTick } from "../../../runtime/protocol/queue-messages";
import { quietly } from "../bridge-fixture";
import { ACCOUNT, inOss, native, push, recorded } from "./fixture";

beforeEach(quietly);

const FUNCTION = "alicloud:fc/v3Function:V3Function";
const BUCKET = "alicloud:oss/bucket:Bucket";

describe("functions", () => {
  test.each([
    [inOss(), "sender", 512, 0.25, 90],
    [inOss(), "receiver", 1024, 0.5, 29],
    [inOss({ copy: { memoryMb: 2000, timeoutSeconds: 3000 } }), "copier", 2048, 1, 3000],
    [push(), "dispatcher", 512, 0.25, 60],
    [push({ copy: { memoryMb: 1024, timeoutSeconds: 3600 } }), "pusher", 1024, 0.5, 3600],
  ] as const)("%#: %s", async (variation, role, memorySize, cpu, timeout) => {
    const side = role === "receiver" || role === "copier" ? "destination" : "source";
    expect((await recorded(variation)).get(`b-${role}`, FUNCTION).inputs).toMatchObject({
      functionName: `crossborderbridge-b-${role}`,
      runtime: role === "sender" ? "custom.debian10" : "nodejs20",
      handler: "index.handler",
      role: `acs:ram::${ACCOUNT}:role/crossborderbridge-b-${role}`,
      memorySize,
      cpu,
      timeout,
      diskSize: 512,
      internetAccess: true,
      code: { zipFile: Buffer.from("PK").toString("base64") },
      logConfig: { project: `bridge-b-${side}-a088eff9`, logstore: "functions" },
    });
  });

  test("an instance of the sender takes many events at once, in a custom runtime with a server of its own", async () => {
    const { get } = await recorded(inOss());
    const { inputs } = get("b-sender", FUNCTION);
    expect(inputs).toMatchObject({
      instanceConcurrency: 64,
      customRuntimeConfig: { commands: ["/var/fc/lang/nodejs20/bin/node"], args: ["index.js"], port: 9000 },
      environmentVariables: { TIMEOUT_SECONDS: "90" },
    });
    const others = await Promise.all([recorded(inOss()), recorded(push())]);
    for (const [plan, role] of [
      [others[0], "receiver"],
      [others[1], "dispatcher"],
    ] as const) {
      const { instanceConcurrency, customRuntimeConfig } = plan?.get(`b-${role}`, FUNCTION).inputs ?? {};
      expect([instanceConcurrency, customRuntimeConfig]).toEqual([undefined, undefined]);
    }
  });

  test("as many at once as the bridge has keys at work", async () => {
    const { get } = await recorded(push({ concurrency: 7 }));
    expect(get("b-dispatcher-concurrency").inputs).toEqual({
      functionName: "crossborderbridge-b-dispatcher",
      reservedConcurrency: 7,
    });
    expect(get("b-pusher-concurrency").inputs.reservedConcurrency).toBe(7);
  });

  test("an event is tried again for a day, and what fails for good goes to the dead letters", async () => {
    expect((await recorded(inOss())).get("b-events-invocations").inputs).toEqual({
      functionName: "crossborderbridge-b-sender",
      maxAsyncRetryAttempts: 8,
      maxAsyncEventAgeInSeconds: 86_400,
      destinationConfig: {
        onFailure: { destination: `acs:mns:cn-shanghai:${ACCOUNT}:/queues/crossborderbridge-b-dead-letters/messages` },
      },
    });
  });

  test("the copier is never started twice or late by Function Compute itself", async () => {
    expect((await recorded(inOss())).get("b-copier-invocations").inputs).toEqual({
      functionName: "crossborderbridge-b-copier",
      maxAsyncRetryAttempts: 0,
      maxAsyncEventAgeInSeconds: 60,
    });
  });

  test("an asynchronous invocation that a stranger asks the receiver for is never repeated, and is dropped at once", async () => {
    const { get } = await recorded(inOss());
    expect(get("b-receiver-invocations").inputs).toEqual({
      functionName: "crossborderbridge-b-receiver",
      maxAsyncRetryAttempts: 0,
      maxAsyncEventAgeInSeconds: 1,
    });
    expect(get("b-receiver-endpoint").dependsOn).toContain("b-receiver-invocations");
  });

  test("logs are kept as long as asked for, and can be searched", async () => {
    const { get } = await recorded(inOss({ logRetentionDays: 3653 }));
    expect(get("b-source-logs-store").inputs).toMatchObject({ logstoreName: "functions", retentionPeriod: 3650 });
    expect(get("b-source-logs-index").inputs).toMatchObject({ logstore: "functions", fullText: { caseSensitive: false } });
  });
});

describe("triggers", () => {
  test("the source's events, exactly", async () => {
    const { get } = await recorded(push({ deletes: "replicate", scope: { prefixes: ["in/"] } }));
    const { triggerConfig, ...inputs } = get("b-events-trigger").inputs;
    expect(inputs).toEqual({
      functionName: "crossborderbridge-b-dispatcher",
      triggerName: "crossborderbridge-b-events",
      triggerType: "oss",
      qualifier: "LATEST",
      sourceArn: `acs:oss:cn-shanghai:${ACCOUNT}:from-shanghai`,
      invocationRole: `acs:ram::${ACCOUNT}:role/crossborderbridge-b-events`,
    });
    expect(JSON.parse(String(triggerConfig))).toEqual({
      events: [
        "oss:ObjectCreated:PutObject",
        "oss:ObjectCreated:PutSymlink",
        "oss:ObjectCreated:PostObject",
        "oss:ObjectCreated:CopyObject",
        "oss:ObjectCreated:AppendObject",
        "oss:ObjectCreated:CompleteMultipartUpload",
        "oss:ObjectReplication:ObjectCreated",
        "oss:ObjectReplication:ObjectModified",
        "oss:ObjectModified:UpdateObjectMeta",
        "oss:ObjectRemoved:DeleteObject",
        "oss:ObjectRemoved:DeleteObjects",
        "oss:ObjectReplication:ObjectRemoved",
      ],
      filter: { key: { prefix: "in/", suffix: "" } },
    });
  });

  test("no asynchronous invocation config is updated in place: an update carries only what changed", async () => {
    for (const variation of [inOss(), push()]) {
      const configs = (await recorded(variation)).resources.filter(({ type }) => type.endsWith(":V3AsyncInvokeConfig"));
      expect(configs.length).toBeGreaterThan(0);
      for (const { deleteBeforeReplace, replaceOnChanges } of configs)
        expect({ deleteBeforeReplace, replaceOnChanges }).toEqual({ deleteBeforeReplace: true, replaceOnChanges: ["*"] });
    }
  });

  test("one goes before another takes its name", async () => {
    for (const variation of [inOss(), push()])
      expect((await recorded(variation)).get("b-events-trigger").deleteBeforeReplace).toBe(true);
  });

  test("the endpoint takes posts from anybody; the function looks closer", async () => {
    const { triggerConfig, triggerType } = (await recorded(inOss())).get("b-receiver-endpoint").inputs;
    expect(triggerType).toBe("http");
    expect(JSON.parse(String(triggerConfig))).toEqual({ authType: "anonymous", methods: ["POST"], disableURLInternet: false });
  });
});

describe("the workflow", () => {
  test("invokes the pusher and waits out an attempt of its own", async () => {
    const { definition, ...inputs } = (await recorded(push({ timeouts: { receiverSeconds: 10 } }))).get(
      "b-flow",
      "alicloud:fnf/flow:Flow",
    ).inputs;
    expect(inputs).toEqual({
      name: "crossborderbridge-b-flow",
      description: "Replicates objects for bridge b",
      type: "FDL",
      roleArn: `acs:ram::${ACCOUNT}:role/crossborderbridge-b-flow`,
    });
    const flow = JSON.parse(String(definition)) as { Name: string; States: { Parameters?: { resourceArn: string } }[] };
    expect(flow.Name).toBe("crossborderbridge-b-flow");
    const invoked = flow.States.flatMap(({ Parameters }) => Parameters?.resourceArn ?? []);
    expect(new Set(invoked)).toEqual(new Set([`acs:fc:cn-shanghai:${ACCOUNT}:functions/crossborderbridge-b-pusher/LATEST`]));
    expect(String(definition)).toContain('"IntervalSeconds": 15');
  });
});

describe("buckets", () => {
  test.each([
    [{}, { bucket: "from-shanghai", sseAlgorithm: "AES256" }],
    [{ kmsKeyId: "key-1" }, { bucket: "from-shanghai", sseAlgorithm: "KMS", kmsMasterKeyId: "key-1" }],
  ])("encryption of a source with %j", async (source, inputs) => {
    expect((await recorded(push({ source }))).get("b-source-encryption").inputs).toEqual(inputs);
  });

  test("are closed to the public, to old versions of TLS, and keep no abandoned upload", async () => {
    const { get } = await recorded(push());
    for (const name of ["b-source", "b-destination", "b-control"]) {
      expect(get(`${name}-public-access-block`).inputs.blockPublicAccess).toBe(true);
      expect(get(`${name}-https`).inputs).toMatchObject({ enable: true, tlsVersions: ["TLSv1.2", "TLSv1.3"] });
    }
    const uploads = { id: "abort-abandoned-uploads", enabled: true, prefix: "", abortMultipartUploads: [{ days: 14 }] };
    expect(get("b-source", BUCKET).inputs.lifecycleRules).toEqual([uploads]);
    expect(get("b-destination-acceleration").inputs).toEqual({ bucket: "to-silicon-valley", enabled: true });
  });

  test("leave alone what is set beside them", async () => {
    const { get } = await recorded(push());
    for (const name of ["b-source", "b-destination", "b-control"])
      expect(get(name, BUCKET).ignoreChanges).toEqual([
        "policy",
        "serverSideEncryptionRule",
        "versioning",
        "transferAcceleration",
      ]);
  });

  test("leases lie in a bucket without versions and go five days after their last change", async () => {
    const { get, resources } = await recorded(push());
    expect(get("b-control", BUCKET).inputs).toEqual({
      bucket: "from-shanghai-b-bridge-control",
      forceDestroy: true,
      lifecycleRules: [
        { id: "expire-lease-logs", enabled: true, prefix: ".crossborderbridge/b/lease-logs/", expirations: [{ days: 5 }] },
      ],
    });
    expect(resources.some(({ name }) => name === "b-control-versioning")).toBe(false);
  });
});

describe("what wakes an operator", () => {
  test("dead letters, errors and failed executions, at the account's own group", async () => {
    const { get } = await recorded(push());
    const alarm = (name: string) => {
      const { project, metric, metricDimensions, contactGroups, escalationsCritical } = get(name).inputs;
      expect(contactGroups).toEqual(["Default Contact Group"]);
      expect(escalationsCritical).toMatchObject({ comparisonOperator: ">", threshold: "0", times: 1 });
      return [project, metric, JSON.parse(String(metricDimensions))];
    };
    expect(alarm("b-dead-letter-alarm")).toEqual([
      "acs_mns_new",
      "ActiveMessages",
      [{ region: "cn-shanghai", queue: "crossborderbridge-b-dead-letters" }],
    ]);
    expect(alarm("b-events-error-alarm")).toEqual([
      "acs_fc",
      "FunctionFunctionErrors",
      [{ region: "cn-shanghai", functionName: "crossborderbridge-b-dispatcher" }],
    ]);
    expect(alarm("b-flow-alarm")).toEqual([
      "acs_fnf",
      "ExecutionsFailed",
      [{ region: "cn-shanghai", flowName: "crossborderbridge-b-flow" }],
    ]);
  });

  test("at the groups of the configuration", async () => {
    const { get } = await recorded(push({ alarmContactGroups: ["ops"] }));
    expect(get("b-flow-alarm").inputs.contactGroups).toEqual(["ops"]);
  });

  test.each([
    ["an outage of the other side, seen or being read", "b-outage-alarm", "ActiveMessages", "Maximum", "0", 1, "outage"],
    [
      "the same, for the few keys that the tick looks at",
      "b-outage-hidden-alarm",
      "InactiveMessages",
      "Maximum",
      "0",
      1,
      "outage",
    ],
    ["keys that are due and are not handed over", "b-backlog-alarm", "ActiveMessages", "Minimum", "1000", 3, "queue"],
  ] as const)("%s", async (_, name, metric, statistics, threshold, times, queue) => {
    for (const variation of [push(), inOss()])
      expect((await recorded(variation)).get(name).inputs).toMatchObject({
        ...{ project: "acs_mns_new", metric, period: 300 },
        metricDimensions: JSON.stringify([{ region: "cn-shanghai", queue: `crossborderbridge-b-${queue}` }]),
        escalationsCritical: { statistics, comparisonOperator: ">", threshold, times },
      });
  });

  test("letters wait as long as the service lets them", async () => {
    expect((await recorded(push())).get("b-dead-letters", "alicloud:message/serviceQueue:ServiceQueue").inputs).toEqual({
      queueName: "crossborderbridge-b-dead-letters",
      messageRetentionPeriod: 604_800,
      maximumMessageSize: 65_536,
    });
  });
});

describe("keys that wait", () => {
  const QUEUE = "alicloud:message/serviceQueue:ServiceQueue";

  test("do so for a week at most, and are hidden from one tick until the next", async () => {
    const { get } = await recorded(inOss());
    for (const part of ["queue", "outage"])
      expect(get(`b-${part}`, QUEUE).inputs).toEqual({
        queueName: `crossborderbridge-b-${part}`,
        messageRetentionPeriod: 604_800,
        maximumMessageSize: 65_536,
        visibilityTimeout: 50,
      });
  });

  test.each([
    [inOss(), "sender"],
    [push(), "pusher"],
  ] as const)("%#: are looked at once a minute by the %s", async (variation, role) => {
    const { inputs, dependsOn } = (await recorded(variation)).get("b-tick");
    expect(inputs).toMatchObject({ functionName: `crossborderbridge-b-${role}`, triggerType: "timer", qualifier: "LATEST" });
    const { payload, ...schedule } = JSON.parse(String(inputs.triggerConfig));
    expect(schedule).toEqual({ cronExpression: "@every 1m", enable: true });
    expect(isTick({ triggerTime: "2026-03-01T00:00:00Z", triggerName: "t", payload })).toBe(true);
    // Every key that waits is put there by a function that exists.
    expect(dependsOn).toEqual(expect.arrayContaining([`b-${role}`, "b-events-trigger"]));
  });
});

describe("native replication", () => {
  test("one rule, through the border's accelerated way, for new objects", async () => {
    expect((await recorded(native())).get("b-replication", "alicloud:oss/bucketReplication:BucketReplication").inputs).toEqual({
      bucket: "from-shanghai",
      destination: { bucket: "to-silicon-valley", location: "oss-us-west-1", transferType: "oss_acc" },
      action: "PUT",
      historicalObjectReplication: "disabled",
      syncRole: "crossborderbridge-b-replication",
    });
  });

  test("a rule goes before the next one comes", async () => {
    const { get } = await recorded(native());
    expect(get("b-replication", "alicloud:oss/bucketReplication:BucketReplication").deleteBeforeReplace).toBe(true);
  });

  test("with all that the configuration can say", async () => {
    const variation = native({
      deletes: "replicate",
      existingObjects: "replicate",
      scope: { prefixes: ["in/", "also/", "in/deeper/"] },
      source: { kmsKeyId: "key-1" },
      destination: { region: "cn-hangzhou", kmsKeyId: "key-2" },
    });
    expect((await recorded(variation)).get("b-replication", "alicloud:oss/bucketReplication:BucketReplication").inputs).toEqual({
      bucket: "from-shanghai",
      destination: { bucket: "to-silicon-valley", location: "oss-cn-hangzhou", transferType: "internal" },
      action: "ALL",
      historicalObjectReplication: "enabled",
      syncRole: "crossborderbridge-b-replication",
      prefixSet: { prefixes: ["in/", "also/"] },
      encryptionConfiguration: { replicaKmsKeyId: "key-2" },
      sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
    });
  });
});
