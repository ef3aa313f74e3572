/** Arguments whose values come from other resources. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { LATE_SETTINGS } from "../../components/config/late";
import { readArguments } from "../../components/late-config";
import { planOf } from "../support/plan";
import { firstRejection, recordResources, settled } from "../support/record-resources";
import { build, declare, quietly, TOKEN, type Variation } from "./bridge-fixture";
import { GROUPS } from "./variants";

jest.mock("../support/mock-aws", () =>
  jest
    .requireActual<typeof import("./aws/native/second-account")>("./aws/native/second-account")
    .withSecondAccount(jest.requireActual("../support/mock-aws")),
);

beforeEach(quietly);

/** The same settings, and an output in the place of each value that may be one. Those of the fixture count as well. */
function late(variation: Variation): Variation {
  const walk = (value: unknown, path: string): unknown => {
    if (value !== undefined && LATE_SETTINGS.includes(path))
      return path === "token" ? pulumi.secret(value) : pulumi.output(value);
    if (!/^(source|destination|auth)?$/.test(path) || typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, walk(one, path === "" ? key : `${path}.${key}`)]));
  };
  const bucket = (side: "source" | "destination", name: string) => ({
    ...variation[side],
    bucket: variation[side]?.bucket ?? name,
  });
  const whole = { ...variation, source: bucket("source", "from-here"), destination: bucket("destination", "to-there") };
  return walk("token" in whole ? whole : { ...whole, token: TOKEN }, "") as Variation;
}

const VARIANTS = Object.entries(GROUPS).flatMap(([group, variants]) =>
  Object.entries(variants).map(([name, variation]): [string, Variation] => [`${group}: ${name}`, variation]),
);

test.each(VARIANTS)("%s: outputs in the place of plain values change no resource", async (_, variation) => {
  const [plain, deferred] = [await build({ ...variation }), await build(late(variation))];
  expect(planOf(deferred.resources)).toEqual(planOf(plain.resources));
});

const KEY = "arn:aws:kms:us-east-1:111111111111:key/k1";

test("what takes a value of a resource depends on that resource", async () => {
  const recording = await recordResources(() => {
    const global = new aws.Provider("global", { region: "us-east-1" });
    const existing = new aws.s3.Bucket("existing", { bucket: "existing-bucket" }, { provider: global });
    const key = new aws.kms.Key("key", {}, { provider: global });
    declare("late", { source: { provider: global, bucket: existing.bucket, adopt: true, kmsKeyArn: key.arn.apply(() => KEY) } });
  });
  const sender = recording.get("late-sender", "aws:lambda/function:Function");
  expect(sender.dependsOn).toEqual(expect.arrayContaining(["existing", "key"]));
  expect(recording.get("late-sender-policy").dependsOn).toContain("key");
  const { environment } = sender.inputs as { environment: { variables: Record<string, string> } };
  expect(Object.values(environment.variables).join()).toContain('"sourceId":"aws:existing-bucket"');
});

test("elements of a list may be outputs beside plain ones", async () => {
  const { get } = await build({ allowedCidrs: ["198.51.100.0/24", pulumi.output("203.0.113.7/32")] });
  expect(String(get("b-receiver-endpoint-policy").inputs.policy)).toContain('["198.51.100.0/24","203.0.113.7/32"]');
});

describe("a value that comes late and is wrong", () => {
  const REFUSED: [what: string, variation: Variation, problem: RegExp][] = [
    [
      "a bucket",
      { source: { bucket: pulumi.output("Reports") } },
      /^ {2}CrossBorderBridge "b": source\.bucket = "Reports": not a bucket name; did you mean reports\?/m,
    ],
    [
      "the source's bucket as the destination",
      {
        source: { bucket: pulumi.output("one") },
        destination: { cloud: "aws", region: "eu-west-1", bucket: pulumi.output("one") },
      },
      /CrossBorderBridge "b": destination\.bucket = "one": the source bucket itself/,
    ],
    [
      "a key of another region",
      { source: { kmsKeyArn: pulumi.output("arn:aws:kms:eu-west-1:111111111111:key/k") } },
      /CrossBorderBridge "b": source\.kmsKeyArn = "arn:aws:kms:eu-west-1:111111111111:key\/k": not a key of this side/,
    ],
    [
      "a network",
      { allowedCidrs: [pulumi.output("203.0.113.7/24")] },
      /CrossBorderBridge "b": allowedCidrs\[0\] = "203\.0\.113\.7\/24": not an IPv4/,
    ],
    ["a list of networks", { allowedCidrs: pulumi.output(["x"]) }, /CrossBorderBridge "b": allowedCidrs\[0\] = "x": not an IPv4/],
    ["a token", { token: pulumi.secret("short") }, /CrossBorderBridge "b": token \(a secret\): not a signing secret/],
    [
      "a secret bucket",
      { source: { bucket: pulumi.secret("Reports") } },
      /CrossBorderBridge "b": source\.bucket \(a secret\): not a bucket name/,
    ],
  ];
  test.each(REFUSED)("%s", async (_, variation, problem) => {
    const refused = await build(variation).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Error);
    expect((refused as Error).message).toMatch(problem);
  });

  test("a bucket that two bridges create", async () => {
    const bucket = pulumi.output("one");
    const declared = recordResources(() => {
      declare("first", { source: { bucket } });
      declare("second", { source: { bucket }, destination: { bucket: "another" }, name: "second" });
    });
    await expect(declared).rejects.toThrow(/the bridges "first" and "second" both create the bucket aws:one/);
  });
});

const RAW = {
  source: { cloud: "aws", region: "us-east-1", bucket: "from-here" },
  destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" },
  allowedCidrs: ["198.51.100.0/24"],
  token: TOKEN,
};
const read = (raw: Record<string, unknown>) => readArguments('CrossBorderBridge "x"', "x", { ...RAW, ...raw });

test("plain values beside an output are checked at once, and a label stands for the output", () => {
  const source = { ...RAW.source, bucket: pulumi.output("from-here"), kmsKeyId: pulumi.output("k") };
  expect(() => read({ source, logLevel: "loud" })).toThrow(
    /CrossBorderBridge "x": logLevel = "loud": not one of the choices[\s\S]*CrossBorderBridge "x": source\.kmsKeyId = "<source\.kmsKeyId>": a key of Alibaba Cloud; allowed on aws: source\.kmsKeyArn/,
  );
  expect(read({ source: { ...source, kmsKeyId: undefined } }).plain.source.bucket).toBe("<source.bucket>");
});

test.each<[string, Record<string, unknown>]>([
  ["source.region", { source: { ...RAW.source, region: pulumi.output("us-east-1") } }],
  ["source", { source: pulumi.output(RAW.source) }],
  ["scope.prefixes[0]", { scope: { prefixes: [Promise.resolve("in/")] } }],
])("%s decides which resources there are, so it must be plain", (path, raw) => {
  expect(() => read(raw)).toThrow(
    `CrossBorderBridge "x": ${path}: known only while deploying, and it decides which resources there are; allowed: a plain value`,
  );
});

test("outside of a program's own tests an empty value is refused", async () => {
  const monitor = jest.spyOn(pulumi.runtime, "getMonitor").mockReturnValue(undefined);
  const { declared } = read({ source: { ...RAW.source, kmsKeyArn: pulumi.output(undefined) } });
  const { failed, end } = firstRejection();
  void declared.source.kmsKeyArn?.apply(() => undefined);
  await expect(failed).rejects.toThrow('CrossBorderBridge "x": source.kmsKeyArn: the value that another resource gave is empty');
  monitor.mockRestore();
  await end();
});

test("a side's values are known together, for what functions are told", async () => {
  const { resolved, namesArePlain } = read({ source: { ...RAW.source, bucket: pulumi.output("late-bucket") } });
  expect(namesArePlain).toBe(false);
  expect((await settled(resolved)).source.bucket).toBe("late-bucket");
});
