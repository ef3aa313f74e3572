/** Changes that a program makes to the children of a component before they are declared. */
import * as alicloud from "@pulumi/alicloud";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { NativeReplication } from "../../components/aws/native/replication";
import { TwoWayReplication } from "../../components/aws/native/two-way";
import { on, type Transform } from "../../components/transforms";
import type { Recording } from "../support/record-resources";
import { inOss, native as ossNative, push } from "./alicloud/fixture";
import { nativeSettings, ownBucket, record, TWO_WAY } from "./aws/native/fixture";
import { build, quietly, type Variation } from "./bridge-fixture";

beforeEach(quietly);

const CANARY = { probe: { enabled: true, everyMinutes: 5 } } satisfies Variation;
const RULES = [{ id: "everything", priority: 1 }];

/** Protects every child, and keeps its name. */
function protectEach(names: string[]): Transform {
  return ({ type, props, opts, name }) => {
    if (type.startsWith("crossborder:")) return undefined;
    names.push(name);
    opts.protect = true;
    return { props, opts };
  };
}

const bridge = (variation: Variation) => (transform: readonly Transform[]) => build({ ...variation, transform });
const pair = (transform: readonly Transform[]) =>
  record(() => {
    const [source, destination] = [ownBucket("from", "us-east-1"), ownBucket("to", "eu-west-1")];
    return new NativeReplication("pair", { source, destination, rules: RULES, metrics: true, transform });
  });
const twoWays = (transform: readonly Transform[]) =>
  record(() => {
    const [first, second] = [ownBucket("from", "us-east-1"), ownBucket("to", "eu-west-1")];
    return new TwoWayReplication("pair", { first, second, rules: RULES, metrics: true, transform });
  });

test.each<[string, (transform: readonly Transform[]) => Promise<Recording>]>([
  ["a pull in AWS", bridge({ auth: { kind: "iam" }, egress: "static", ...CANARY })],
  ["a pull in AWS without a queue", bridge({ buffer: "none" })],
  ["S3 replication both ways", bridge(nativeSettings({ ...TWO_WAY, ...CANARY, existingObjects: "replicate" }))],
  ["a pull in Alibaba Cloud", bridge(inOss(CANARY))],
  ["a push", bridge(push(CANARY))],
  ["OSS replication", bridge(ossNative())],
  ["NativeReplication", pair],
  ["TwoWayReplication", twoWays],
])("%s: a change reaches every child of the component", async (_, make) => {
  const names: string[] = [];
  const { resources } = await make([protectEach(names)]);
  const own = resources.filter(({ type, parent }) => !type.startsWith("crossborder:") && parent !== undefined);
  expect(own.length).toBeGreaterThan(4);
  expect(names.sort()).toEqual(own.map(({ name }) => name).sort());
  expect(own.filter(({ protect }) => !protect)).toEqual([]);
});

describe("on", () => {
  test("changes arguments and options of its class alone", async () => {
    const { resources } = await build({
      transform: [
        on(aws.sqs.Queue, (args, opts) => {
          args.maxMessageSize = 262_144;
          opts.protect = true;
        }),
      ],
    });
    const queues = resources.filter(({ type }) => type === "aws:sqs/queue:Queue");
    expect(queues.map(({ name, inputs }) => [name, inputs.maxMessageSize])).toEqual([
      ["b-dead-letters", 262_144],
      ["b-outage", 262_144],
      ["b-queue", 262_144],
    ]);
    expect(resources.filter(({ protect }) => protect)).toEqual(queues);
  });

  test("tells the children of one class apart by their logical names", async () => {
    const { get } = await build({
      transform: [
        on(aws.iam.Role, (args, _, name) => {
          if (name === "b-sender-role") args.path = "/bridges/";
        }),
      ],
    });
    expect(get("b-sender-role").inputs.path).toBe("/bridges/");
    expect(get("b-copier-role").inputs.path).toBeUndefined();
  });

  test("changes children in Alibaba Cloud, and may read what would be declared", async () => {
    const { get } = await build(
      push({
        transform: [
          on(alicloud.fnf.Flow, (args) => {
            args.description = pulumi.interpolate`${args.description}, for media`;
          }),
        ],
      }),
    );
    expect(get("b-flow", "alicloud:fnf/flow:Flow").inputs.description).toBe("Replicates objects for bridge b, for media");
  });

  test("makes what Pulumi's own option takes as well, which comes after the component's", async () => {
    const describedAs = (description: string) =>
      on(aws.iam.Role, (args) => {
        args.description = description;
      });
    const { get } = await record(() => {
      const [source, destination] = [ownBucket("from", "us-east-1"), ownBucket("to", "eu-west-1")];
      const opts = { transformations: [describedAs("later")] };
      return new NativeReplication("pair", { source, destination, rules: RULES, transform: [describedAs("first")] }, opts);
    });
    expect(get("pair-role").inputs.description).toBe("later");
  });

  test.each([
    ["plain text", "other secrets"],
    ["an output", pulumi.output("other secrets")],
  ])("%s in place of a secret is a secret", async (_, value) => {
    let changed: pulumi.Input<string> | undefined;
    const after: Transform = ({ resource, props }) => {
      if (aws.ssm.Parameter.isInstance(resource)) changed = props.value;
      return undefined;
    };
    const replace = on(aws.ssm.Parameter, (args) => {
      args.value = value;
    });
    await build({ transform: [replace, after] });
    const output = pulumi.output(changed);
    expect(await pulumi.isSecret(output)).toBe(true);
    expect(await new Promise((resolve) => output.apply(resolve))).toBe("other secrets");
  });

  test("an output in place of one that is no secret stays readable", async () => {
    let changed: unknown;
    const after: Transform = ({ props, name }) => {
      if (name === "b-queue-policy") changed = props.policy;
      return undefined;
    };
    await build({
      transform: [
        on(aws.sqs.QueuePolicy, (args) => {
          args.policy = "{}";
        }),
        after,
      ],
    });
    expect(await pulumi.isSecret(pulumi.output(changed))).toBe(false);
  });
});
