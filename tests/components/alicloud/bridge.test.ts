/** What a bridge with a side in Alibaba Cloud declares, how it hangs together, and what it gives out. */
import * as aws from "@pulumi/aws";
import { CLOUDS } from "../../../components/config/clouds";
import { type RecordedResource, settled } from "../../support/record-resources";
import { type Built, build, quietly, TOKEN, type Variation } from "../bridge-fixture";
import { aliasesOf } from "../native-fixture";
import { ACCOUNT, inOss, native, ossDestination, ossSource, push, recorded } from "./fixture";
import { listOf, OSS_DESTINATION_PIECES, OSS_SOURCE_PIECES, type Piece, PUSH_PIECES } from "./resource-lists";

beforeEach(quietly);

const without = (pieces: readonly Piece[], ...gone: Piece[]) => pieces.filter((piece) => !gone.includes(piece));
const OWN_TOKEN = { token: undefined, auth: { tokenParameter: "ours-token" } } satisfies Variation;

describe("what a variant declares", () => {
  const variants: [string, Variation, readonly Piece[]][] = [
    ["from OSS", ossSource(), [...OSS_SOURCE_PIECES, "awsDestination"]],
    ["to OSS", ossDestination(), [...OSS_DESTINATION_PIECES, "awsSource"]],
    ["inside OSS by pull", inOss(), [...OSS_SOURCE_PIECES, ...OSS_DESTINATION_PIECES]],
    ["push", push(), PUSH_PIECES],
    [
      "push without acceleration",
      push({ destination: { acceleration: "none" } }),
      without(PUSH_PIECES, "destinationAcceleration"),
    ],
    ["push inside a region", push({ destination: { region: "cn-shanghai" } }), without(PUSH_PIECES, "destinationAcceleration")],
    [
      "push between adopted buckets",
      push({ source: { bucket: "kept-shanghai", adopt: true }, destination: { bucket: "kept-silicon-valley", adopt: true } }),
      ["source", "destination", "push"],
    ],
    ["native", native(), ["source", "sourceBucket", "destination", "destinationBucket", "native"]],
    [
      "a token of the operator's",
      inOss(OWN_TOKEN),
      without([...OSS_SOURCE_PIECES, ...OSS_DESTINATION_PIECES], "sourceToken", "destinationToken"),
    ],
    [
      "auth iam to AWS",
      ossSource({ auth: { kind: "iam" } }),
      [...OSS_SOURCE_PIECES, "sourceInvoker", "awsDestination", "awsInvoker"],
    ],
    [
      "accelerated URLs",
      ossSource({ source: { acceleration: "global" } }),
      [...OSS_SOURCE_PIECES, "sourceAcceleration", "awsDestination"],
    ],
    [
      "an adopted source, which still gets its trigger",
      ossSource({ source: { bucket: "kept-shanghai", adopt: true } }),
      [...without(OSS_SOURCE_PIECES, "sourceBucket"), "awsDestination"],
    ],
    ["deletes and status tags", push({ deletes: "replicate", statusTags: true }), PUSH_PIECES],
  ];
  test.each(variants)("%s", async (_, variation, pieces) => {
    expect((await build(variation)).list()).toEqual(listOf(...pieces));
  });

  test("a bucket without versions has no versioning resource, and the bridge's own never has", async () => {
    const { resources } = await build(push({ destination: { versioning: false } }));
    const names = resources.filter(({ type }) => type.endsWith(":BucketVersioning")).map(({ name }) => name);
    expect(names).toEqual(["b-source-versioning"]);
  });
});

describe("the nine pairs", () => {
  const REGIONS = {
    aws: { source: "us-east-1", destination: "eu-west-1" },
    "aws-cn": { source: "cn-north-1", destination: "cn-northwest-1" },
    alicloud: { source: "cn-shanghai", destination: "us-west-1" },
  } as const;

  test.each(CLOUDS.flatMap((from) => CLOUDS.map((to) => [from, to] as const)))(
    "%s -> %s: the same arguments, another cloud and region",
    async (from, to) => {
      const { bridge, list } = await build({
        source: { cloud: from, region: REGIONS[from].source, bucket: "from-here" },
        destination: { cloud: to, region: REGIONS[to].destination, bucket: "to-there", prefix: "copies/" },
        scope: { prefixes: ["in/"] },
        deletes: "replicate",
        statusTags: true,
      });
      const isOss = { from: from === "alicloud", to: to === "alicloud" };
      expect(list()).toEqual(
        listOf(
          ...(isOss.from ? OSS_SOURCE_PIECES : (["awsSource"] as const)),
          ...(isOss.to ? OSS_DESTINATION_PIECES : (["awsDestination"] as const)),
        ),
      );
      expect(Object.keys(bridge.outputs).sort()).toEqual(
        [
          "copierFunctionName",
          "deadLetterQueueUrl",
          "destinationBucket",
          "kmsKeyPolicyStatements",
          "notices",
          ...(isOss.from ? [] : ["queueUrl"]),
          "receiverFunctionName",
          "receiverUrl",
          "senderFunctionName",
          "sourceBucket",
        ].sort(),
      );
    },
  );
});

describe("the tree", () => {
  const variants: [string, Variation][] = [
    ["pull", inOss({ statusTags: true, deletes: "replicate", source: { acceleration: "global" } })],
    ["push", push({ statusTags: true, deletes: "replicate" })],
    ["native", native()],
  ];

  test.each(variants)("%s: every resource hangs in the bridge, on a provider of its own side", async (_, variation) => {
    const { resources } = await recorded(variation);
    const names = new Set(resources.map(({ name }) => name));
    expect(
      resources
        .filter(({ parent }) => parent === undefined)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["b", "destination", "source"]);
    for (const { name, parent } of resources) if (parent !== undefined) expect([name, names.has(parent)]).toEqual([name, true]);
    const custom = resources.filter(({ type }) => type.startsWith("alicloud:"));
    expect(new Set(custom.map(({ provider }) => provider))).toEqual(new Set(["source", "destination"]));
  });

  test.each(variants)("%s: every component registers its outputs", async (_, variation) => {
    const components = (await recorded(variation)).resources.filter(({ type }) => type.startsWith("crossborder:"));
    expect(components.length).toBeGreaterThan(3);
    expect(components.filter(({ outputsRegistered }) => !outputsRegistered)).toEqual([]);
  });

  test.each(variants)("%s: every child has a hook, which may change its arguments and options", async (_, variation) => {
    let calls = 0;
    const hook = (_args: object, opts: { protect?: boolean }) => {
      calls++;
      opts.protect = true;
    };
    const hooks: object = new Proxy(hook, { get: () => hooks });
    const { resources } = await build({ ...variation, transform: { alicloud: hooks } });
    const custom = resources.filter(({ type }) => type.startsWith("alicloud:"));
    expect(calls).toBe(custom.length);
    expect(custom.filter(({ protect }) => !protect)).toEqual([]);
  });

  test("children hang where a reader looks for them, and push keeps all but the replicas at the source", async () => {
    const { resources, get } = await recorded(push());
    const parents = {
      "b-source-store": "b",
      "b-destination-store": "b",
      "b-push": "b",
      "b-control-policy": "b-control",
      "b-pusher-role": "b-pusher",
      "b-events-trigger": "b-events",
      "b-source-logs-index": "b-source-logs",
      "b-flow-role": "b-flow",
      "b-dead-letter-alarm": "b-dead-letters",
    };
    expect(Object.fromEntries(Object.keys(parents).map((name) => [name, get(name).parent]))).toEqual(parents);
    const elsewhere = resources.filter(({ provider, type }) => provider === "destination" && type.startsWith("alicloud:"));
    expect(elsewhere.every(({ name }) => name.startsWith("b-destination"))).toBe(true);
  });

  test("buckets and their settings stay by default, the bridge's own goes", async () => {
    const { resources, get } = await recorded(push());
    const kept = resources.filter(({ retainOnDelete }) => retainOnDelete);
    expect(new Set(kept.map(({ parent }) => parent))).toEqual(new Set(["b-source-store", "b-destination-store"]));
    expect(kept).toHaveLength(13);
    expect(get("b-control", "alicloud:oss/bucket:Bucket").inputs.forceDestroy).toBe(true);
    expect(get("b-source").inputs.forceDestroy).toBe(false);
  });

  test("retainBuckets: false lets them go, forceDestroy with their objects", async () => {
    const { resources, get } = await build(push({ retainBuckets: false, forceDestroy: true }));
    expect(resources.filter(({ retainOnDelete }) => retainOnDelete)).toEqual([]);
    expect(get("b-destination").inputs.forceDestroy).toBe(true);
  });
});

test("a change between push and pull finds what both have at the source, and nothing of it twice", async () => {
  const declared = async (variation: Variation) => {
    let resources: RecordedResource[] = [];
    const aliases = await aliasesOf(async () => {
      ({ resources } = await build(variation));
    });
    // The mocks' URNs name one parent alone, the engine's all of them.
    const typesOf = ({ type, parent }: RecordedResource): string => {
      const above = resources.find((one) => one.name === parent && one.type.startsWith("crossborder:"));
      return above === undefined ? type : `${typesOf(above)}$${type}`;
    };
    const urnOf = (one: RecordedResource) => `urn:pulumi:test::crossborderbridge::${typesOf(one)}::${one.name}`;
    return { urns: new Map(resources.map((one) => [`${one.type} ${one.name}`, urnOf(one)])), aliases };
  };
  const [pushed, pulled] = [await declared(push()), await declared(inOss())];
  // The leases of a pull are at the destination.
  const moved = [...pushed.urns].filter(
    ([key, urn]) => pulled.urns.has(key) && pulled.urns.get(key) !== urn && !key.includes(" b-control"),
  );
  expect([...new Set(moved.map(([key]) => key.split(" ")[1]))].sort()).toEqual([
    "b-dead-letter-alarm",
    "b-dead-letters",
    "b-events",
    "b-events-attachment",
    "b-events-error-alarm",
    "b-events-invocations",
    "b-events-policy",
    "b-events-role",
    "b-events-trigger",
    "b-source-logs",
    "b-source-logs-index",
    "b-source-logs-project",
    "b-source-logs-store",
  ]);
  for (const [key, urn] of moved) {
    expect(pulled.aliases[key]).toContain(urn);
    expect(pushed.aliases[key]).toContain(pulled.urns.get(key));
  }
  expect(Object.keys(pulled.aliases).sort()).toEqual(moved.map(([key]) => key).sort());
});

describe("order", () => {
  test.each([
    ["a function waits for its rights and its log", "b-sender", ["b-sender-attachment", "b-source-logs-index", "b-source-token"]],
    [
      "OSS is told of a sender that is complete",
      "b-events-trigger",
      ["b-events-attachment", "b-events-invocations", "b-sender-concurrency", "b-source-policy", "b-source-versioning"],
    ],
    ["the endpoint waits for the bound of its instances", "b-receiver-endpoint", ["b-receiver-concurrency"]],
    ["the receiver waits for its copier and the leases", "b-receiver", ["b-copier-invocations", "b-control-policy"]],
    ["what fails for good has somewhere to go", "b-events-invocations", ["b-dead-letters"]],
  ])("%s", async (_, name, dependencies) => {
    const { resources } = await recorded(inOss());
    const found = resources.find((resource) => resource.name === name && resource.type.startsWith("alicloud:"));
    expect(found?.dependsOn).toEqual(expect.arrayContaining(dependencies));
  });

  test("in push the workflow is there before what starts it, and the pusher before the workflow", async () => {
    const { get } = await recorded(push());
    expect(get("b-dispatcher", "alicloud:fc/v3Function:V3Function").dependsOn).toContain("b-flow");
    expect(get("b-flow", "alicloud:fnf/flow:Flow").dependsOn).toEqual(expect.arrayContaining(["b-flow-attachment", "b-pusher"]));
  });
});

describe("outputs", () => {
  const values = async ({ bridge }: Built, ...names: string[]) =>
    Object.fromEntries(
      await Promise.all(
        names.map(async (name) => [name, await settled(bridge.outputs[name] as Parameters<typeof settled>[0])] as const),
      ),
    );

  test("of a push", async () => {
    const built = await recorded(push());
    expect(Object.keys(built.bridge.outputs).sort()).toEqual([
      "deadLetterQueueUrl",
      "destinationBucket",
      "dispatcherFunctionName",
      "flowName",
      "kmsKeyPolicyStatements",
      "notices",
      "pusherFunctionName",
      "sourceBucket",
    ]);
    expect(await values(built, "deadLetterQueueUrl", "flowName", "dispatcherFunctionName", "pusherFunctionName")).toEqual({
      deadLetterQueueUrl: `https://${ACCOUNT}.mns.cn-shanghai.aliyuncs.com/queues/crossborderbridge-b-dead-letters`,
      flowName: "crossborderbridge-b-flow",
      dispatcherFunctionName: "crossborderbridge-b-dispatcher",
      pusherFunctionName: "crossborderbridge-b-pusher",
    });
    expect(built.bridge.receiverUrl).toBeUndefined();
    expect(built.bridge.flowName).toBe(built.bridge.outputs.flowName);
  });

  test("of native replication", async () => {
    expect(Object.keys((await recorded(native())).bridge.outputs).sort()).toEqual([
      "destinationBucket",
      "kmsKeyPolicyStatements",
      "notices",
      "sourceBucket",
    ]);
  });

  test("of a pull", async () => {
    expect(await values(await recorded(inOss()), "receiverUrl", "deadLetterQueueUrl", "senderFunctionName")).toEqual({
      receiverUrl: "https://bridge-abc.us-west-1.fcapp.run",
      deadLetterQueueUrl: `https://${ACCOUNT}.mns.cn-shanghai.aliyuncs.com/queues/crossborderbridge-b-dead-letters`,
      senderFunctionName: "crossborderbridge-b-sender",
    });
  });
});

describe("settings that do not fit together", () => {
  test("a provider of another cloud is refused: the engine would take the default one", async () => {
    const wrong = () => new aws.Provider("wrong", { region: "us-east-1" });
    const source = Object.defineProperty({}, "provider", { get: wrong, enumerable: true });
    await expect(build(push({ source }))).rejects.toThrow(
      "source.provider: cannot deploy to alicloud; allowed: an alicloud.Provider",
    );
  });

  test("a token without a receiver is a notice, not an error", async () => {
    const { bridge } = await build(push({ token: TOKEN }));
    expect(bridge.notices).toEqual(["Mode push sends no request across the border: token is not used."]);
  });
});
