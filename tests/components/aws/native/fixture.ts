/** Buckets to replicate between, as a user's own program has them. */
import * as aws from "@pulumi/aws";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import {
  NativeReplication,
  type NativeReplicationArgs,
  type ReplicatedBucket,
} from "../../../../components/aws/native/replication";
import { type RecordedResource, type Recording, recordResources } from "../../../support/record-resources";
import { type Built, build, policyOf, type Variation } from "../../bridge-fixture";
import { ELSEWHERE } from "./second-account";

export { ELSEWHERE };

export const ACCOUNT = "111111111111";
export const KEYS = {
  "us-east-1": "arn:aws:kms:us-east-1:111111111111:key/k1",
  "eu-west-1": "arn:aws:kms:eu-west-1:111111111111:key/k2",
} as const;

/** Mode native, from us-east-1 to eu-west-1 by default. */
export const nativeSettings = ({ destination, ...more }: Variation = {}): Variation => ({
  mode: "native",
  token: undefined,
  allowedCidrs: [],
  ...more,
  destination: { cloud: "aws", region: "eu-west-1", ...destination },
});
export const native = (variation?: Variation): Promise<Built> => build(nativeSettings(variation));
export const TWO_WAY = { direction: "two-way" } satisfies Variation;
/** With the mock of `second-account.ts`. */
export const ACROSS = {
  source: { accountId: ACCOUNT },
  destination: { accountId: ELSEWHERE.account, region: ELSEWHERE.region },
} satisfies Variation;
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/crossborderbridge-b`;

/** A bucket with its versioning, on a provider of its own, named after its end. */
export function ownBucket(end: string, region: string, more: Partial<ReplicatedBucket> = {}): ReplicatedBucket {
  const provider = new aws.Provider(end, { region });
  const bucket = new aws.s3.Bucket(`${end}-bucket`, { bucket: end }, { provider });
  const versioning = new aws.s3.BucketVersioning(
    `${end}-versioning`,
    { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } },
    { provider },
  );
  return { bucketName: bucket.bucket, bucketArn: bucket.arn, region, provider, dependsOn: [versioning], ...more };
}

/** What a program declares, and what it hands back. */
export async function record<T>(program: () => T): Promise<Recording & { made: T }> {
  let made: T | undefined;
  const recording = await recordResources(() => {
    made = program();
  });
  if (made === undefined) throw new Error("nothing was made");
  return { ...recording, made };
}

export interface PolicyStatement {
  Sid: string;
  Action: string[];
  Resource: string[];
  Condition?: object;
}

export const statementsOf = (recording: Recording, name: string, field = "policy"): PolicyStatement[] =>
  (policyOf(recording, name, field) as { Statement: PolicyStatement[] }).Statement;

export const allow = (Sid: string, Action: string[], Resource: string[]) => ({ Sid, Effect: "Allow", Action, Resource });

/** A grant to one identity: its account is the Principal, and a condition names it. */
export const only = (identityArn: string, condition: object = {}) => ({
  Principal: { AWS: identityArn.replace(/:(role|user)\/.*/, ":root") },
  Condition: { ...condition, StringEquals: { "aws:PrincipalArn": identityArn } },
});

/** What `replicate` changes: regions, and anything of an end. */
export interface PairVariation extends Partial<Omit<NativeReplicationArgs, "source" | "destination">> {
  from?: string;
  to?: string;
  source?: Partial<ReplicatedBucket>;
  destination?: Partial<ReplicatedBucket>;
}

/** The component `pair` between two buckets of a program. */
export const replicate = ({ from = "us-east-1", to = "eu-west-1", source, destination, ...more }: PairVariation = {}) =>
  record(
    () =>
      new NativeReplication("pair", {
        rules: [{ id: "everything", priority: 1 }],
        ...more,
        source: ownBucket("from", from, source),
        destination: ownBucket("to", to, destination),
      }),
  );

/** Names in an order in which everything comes after what it depends on; a cycle has none. */
export function deploymentOrder(resources: readonly RecordedResource[]): string[] {
  const dependencies = new Map<string, Set<string>>();
  for (const { name, dependsOn } of resources) dependencies.set(name, new Set([...(dependencies.get(name) ?? []), ...dependsOn]));
  const order: string[] = [];
  const visit = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name)) throw new Error(`a cycle: ${[...trail, name].join(" -> ")}`);
    if (order.includes(name)) return;
    for (const next of dependencies.get(name) ?? []) visit(next, [...trail, name]);
    order.push(name);
  };
  for (const { name } of resources) visit(name, []);
  return order;
}

/** The URNs under which the engine looks for what a program declares, besides their own: `type name` to URNs. */
export async function aliasesOf(program: () => Promise<unknown>): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const spy = jest.spyOn(MockMonitor.prototype, "registerResource");
  await program();
  for (const [request] of spy.mock.calls) {
    const urns = request.getAliasurnsList() as string[];
    if (urns.length > 0) found[`${request.getType()} ${request.getName()}`] = urns;
  }
  spy.mockRestore();
  return found;
}
