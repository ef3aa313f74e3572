/** What a bridge with a side in Alibaba Cloud declares, how it hangs together, and what it gives out. */
import * as aws from "@pulumi/aws";
import { CLOUDS } from "../../../components/config/clouds";
import { type RecordedResource, settled } from "../../support/record-resources";
import { aliasesOf } from "../aws/native/fixture";
import { type Built, build, PULL_OUTPUTS, quietly, TOKEN, type Variation } from "../bridge-fixture";
import { pair } from "../variants";
import { ACCOUNT, inOss, native, push, recorded } from "./fixture";

beforeEach(quietly);

describe("the nine pairs", () => {
  test.each(CLOUDS.flatMap((from) => CLOUDS.map((to) => [from, to] as const)))(
    "%s -> %s: the same arguments, another cloud and region",
    async (from, to) => {
      const { bridge } = await build(pair(from, to));
      expect(Object.keys(bridge.outputs).sort()).toEqual(PULL_OUTPUTS);
    },
  );
});

describe("the tree", () => {
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
    "b-backlog-alarm",
    "b-dead-letter-alarm",
    "b-dead-letters",
    "b-events",
    "b-events-attachment",
    "b-events-error-alarm",
    "b-events-invocations",
    "b-events-policy",
    "b-events-role",
    "b-events-trigger",
    "b-outage",
    "b-outage-alarm",
    "b-outage-hidden-alarm",
    "b-queue",
    "b-source-dashboard",
    "b-source-logs",
    "b-source-logs-index",
    "b-source-logs-project",
    "b-source-logs-store",
    "b-tick",
    "b-waiting-keys",
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

describe("a custom domain", () => {
  const DOMAIN = "oss.example.com";
  const TOKEN_TYPE = "alicloud:oss/bucketCnameToken:BucketCnameToken";
  const CNAME_TYPE = "alicloud:oss/bucketCname:BucketCname";
  const typesOf = ({ resources }: Built) => resources.filter(({ type }) => /Cname/.test(type)).map(({ type }) => type);

  test("is bound to a bucket of the bridge: the token first, and the binding before the first event", async () => {
    const { get } = await recorded(inOss({ source: { customDomain: DOMAIN } }));
    expect(get("b-source-domain-token", TOKEN_TYPE).inputs).toEqual({ bucket: "from-shanghai", domain: DOMAIN });
    const binding = get("b-source-domain", CNAME_TYPE);
    expect(binding).toMatchObject({ inputs: { bucket: "from-shanghai", domain: DOMAIN }, retainOnDelete: true });
    expect(binding.dependsOn).toContain("b-source-domain-token");
    expect(get("b-events-trigger").dependsOn).toContain("b-source-domain");
  });

  test("is the only source that the receiver and the copier may read, and the host of the sender's URLs alone", async () => {
    const { get } = await recorded(inOss({ source: { customDomain: DOMAIN } }));
    const config = (role: string) => {
      const { environmentVariables } = get(`b-${role}`, "alicloud:fc/v3Function:V3Function").inputs as {
        environmentVariables: Record<string, string>;
      };
      return JSON.parse(environmentVariables.CROSSBORDERBRIDGE_CONFIG ?? "") as Record<string, unknown>;
    };
    const allowedSources = [{ origin: `https://${DOMAIN}`, pathPrefix: "/" }];
    expect(config("receiver")).toMatchObject({ allowedSources, destination: { network: "internal" } });
    expect(config("copier")).toMatchObject({ allowedSources });
    expect(config("sender")).toMatchObject({ source: { network: "internal", presignNetwork: { customDomain: DOMAIN } } });
  });

  test("of an adopted bucket is used and not bound; the control bucket has none", async () => {
    expect(typesOf(await recorded(inOss({ source: { bucket: "kept-shanghai", adopt: true, customDomain: DOMAIN } })))).toEqual(
      [],
    );
    expect(typesOf(await recorded(push({ destination: { customDomain: DOMAIN } }))).sort()).toEqual([CNAME_TYPE, TOKEN_TYPE]);
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
      "dashboardUrls",
      "deadLetterQueueUrl",
      "destinationBucket",
      "dispatcherFunctionName",
      "estimatedCost",
      "flowName",
      "kmsKeyPolicyStatements",
      "notices",
      "outageQueueUrl",
      "pusherFunctionName",
      "queueUrl",
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
      "estimatedCost",
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
    expect(bridge.notices).toEqual([
      "Mode push sends no request across the border: token is not used.",
      expect.stringContaining("source.region cn-shanghai is on the Chinese mainland"),
    ]);
  });
});
