import type { ReplicatedBucket } from "../../../../components/aws/native/replication";
import { TwoWayReplication, type TwoWayReplicationArgs } from "../../../../components/aws/native/two-way";
import { ConfigInvalid } from "../../../../components/config";
import { settled } from "../../../support/record-resources";
import { aliasesOf, deploymentOrder, KEYS, ownBucket, record, statementsOf } from "./fixture";

interface Variation extends Partial<Omit<TwoWayReplicationArgs, "first" | "second">> {
  first?: Partial<ReplicatedBucket>;
  second?: Partial<ReplicatedBucket>;
}

const replicate = ({ first, second, ...more }: Variation = {}) =>
  record(
    () =>
      new TwoWayReplication("pair", {
        rules: [{ id: "in", priority: 1, prefix: "in/" }],
        ...more,
        first: ownBucket("a", "us-east-1", first),
        second: ownBucket("b", "eu-west-1", second),
      }),
  );

const CONFIGURATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";
const NATIVE = "crossborder:index:NativeReplication";

test("two directions, each with a role of its own", async () => {
  const { list, get, resources } = await replicate();
  expect(list()).toEqual(
    [
      "aws:iam/role:Role pair-back-role",
      "aws:iam/role:Role pair-role",
      "aws:iam/rolePolicy:RolePolicy pair-back-policy",
      "aws:iam/rolePolicy:RolePolicy pair-policy",
      "aws:s3/bucket:Bucket a-bucket",
      "aws:s3/bucket:Bucket b-bucket",
      `${CONFIGURATION} pair`,
      `${CONFIGURATION} pair-back`,
      "aws:s3/bucketVersioning:BucketVersioning a-versioning",
      "aws:s3/bucketVersioning:BucketVersioning b-versioning",
      `${NATIVE} pair`,
      `${NATIVE} pair-back`,
      "crossborder:index:TwoWayReplication pair",
      "pulumi:providers:aws a",
      "pulumi:providers:aws b",
    ].sort(),
  );
  expect(get("pair", NATIVE).parent).toBe("pair");
  expect(get("pair-back", NATIVE).parent).toBe("pair");
  expect(get("pair-back-role").parent).toBe("pair-back");
  expect(get("pair-role").provider).toBe("a");
  expect(get("pair-back-role").provider).toBe("b");
  expect(resources.filter(({ type, outputsRegistered }) => type.startsWith("crossborder:") && !outputsRegistered)).toEqual([]);
});

test("in one run without a cycle: both buckets keep versions before either replicates", async () => {
  const { get, resources } = await replicate();
  const order = deploymentOrder(resources);
  for (const name of ["pair", "pair-back"]) {
    expect(get(name, CONFIGURATION).dependsOn).toEqual(expect.arrayContaining(["a-versioning", "b-versioning"]));
    for (const versioning of ["a-versioning", "b-versioning"])
      expect(order.indexOf(versioning)).toBeLessThan(order.indexOf(name));
  }
  expect(get("pair", CONFIGURATION).dependsOn).not.toContain("pair-back");
  expect(get("pair-back", CONFIGURATION).dependsOn).not.toContain("pair");
});

test("a cycle would be found", () => {
  const resource = (name: string, ...dependsOn: string[]) => ({ name, dependsOn }) as never;
  expect(() => deploymentOrder([resource("x", "y"), resource("y", "z"), resource("z", "x")])).toThrow("x -> y -> z -> x");
});

test("changes of replicas come back, and delete markers are said out on both sides", async () => {
  const { get } = await replicate({ deletes: "replicate" });
  const rule = (destination: string) => ({
    id: "in",
    status: "Enabled",
    priority: 1,
    filter: { prefix: "in/" },
    deleteMarkerReplication: { status: "Enabled" },
    sourceSelectionCriteria: { replicaModifications: { status: "Enabled" } },
    destination: { bucket: `arn:aws:s3:::${destination}` },
  });
  expect(get("pair", CONFIGURATION).inputs).toMatchObject({ bucket: "a", rules: [rule("b")] });
  expect(get("pair-back", CONFIGURATION).inputs).toMatchObject({ bucket: "b", rules: [rule("a")] });
  const plain = await replicate({ replicaModifications: false });
  expect(plain.get("pair", CONFIGURATION).inputs.rules).toEqual([
    expect.objectContaining({ deleteMarkerReplication: { status: "Disabled" } }),
  ]);
  expect(JSON.stringify(plain.get("pair-back", CONFIGURATION).inputs)).not.toContain("replicaModifications");
});

test("each role reads one bucket and writes the other", async () => {
  const recording = await replicate({
    first: { kmsKeyArn: KEYS["us-east-1"], storageClass: "STANDARD_IA" },
    second: { kmsKeyArn: KEYS["eu-west-1"] },
    names: { forward: "there", backward: "back" },
  });
  const resourcesOf = (name: string) => Object.fromEntries(statementsOf(recording, name).map((one) => [one.Sid, one.Resource]));
  const of = (from: string, fromKey: string, to: string, toKey: string) => ({
    ReadConfiguration: [`arn:aws:s3:::${from}`],
    ReadSource: [`arn:aws:s3:::${from}/in/*`],
    WriteReplicas: [`arn:aws:s3:::${to}/in/*`],
    DecryptSource: [fromKey],
    EncryptReplicas: [toKey],
  });
  expect(resourcesOf("pair-policy")).toEqual(of("a", KEYS["us-east-1"], "b", KEYS["eu-west-1"]));
  expect(resourcesOf("pair-back-policy")).toEqual(of("b", KEYS["eu-west-1"], "a", KEYS["us-east-1"]));
  expect(recording.get("pair-role").inputs.name).toBe("there");
  expect(recording.get("pair-back-role").inputs.name).toBe("back");
  const { forward, backward } = recording.made;
  expect(await settled(forward.roleArn)).toContain("role/there");
  expect(await settled(backward.roleArn)).toContain("role/back");
  // The class is that of replicas which arrive in a bucket.
  expect(JSON.stringify(recording.get("pair", CONFIGURATION).inputs)).not.toContain("STANDARD_IA");
  expect(JSON.stringify(recording.get("pair-back", CONFIGURATION).inputs)).toContain("STANDARD_IA");
});

test("who had one way keeps it when a second one comes", async () => {
  const urn = (type: string, name: string) => `urn:pulumi:test::crossborderbridge::${NATIVE}${type}::${name}`;
  expect(await aliasesOf(() => replicate())).toEqual({
    [`${NATIVE} pair`]: [urn("", "pair")],
    "aws:iam/role:Role pair-role": [urn("$aws:iam/role:Role", "pair-role")],
    "aws:iam/rolePolicy:RolePolicy pair-policy": [urn("$aws:iam/rolePolicy:RolePolicy", "pair-policy")],
    [`${CONFIGURATION} pair`]: [urn(`$${CONFIGURATION}`, "pair")],
  });
});

test("a key on one side alone would leave objects out on the way back", async () => {
  await expect(replicate({ second: { kmsKeyArn: KEYS["eu-west-1"] } })).rejects.toThrow(ConfigInvalid);
});
