/** Calls for replication rules, which ali-oss lacks. */
import type { LocalOssOptions } from "../../src/oss/local-oss";
import { type XmlFields, xmlDocument } from "../../src/oss/xml";
import { type Client, type OssFixture, SHANGHAI, SILICON_VALLEY, startFixture } from "./oss-fixture";
import { type RawAnswer, type Signing, sendSigned } from "./raw-request";

export const HANGZHOU = "cn-hangzhou";

/** Three regions, two of them in the mainland. A rule is ready and gone at once. */
export const startReplicating = (options: Partial<LocalOssOptions> = {}) =>
  startFixture({ regions: [SHANGHAI, HANGZHOU, SILICON_VALLEY], replicationStateMs: 0, ...options });

export const ruleTo = (bucket: string, { location = `oss-${HANGZHOU}`, TransferType, ...more }: RuleFields = {}): XmlFields => ({
  Destination: { Bucket: bucket, Location: location, TransferType },
  HistoricalObjectReplication: "disabled",
  SyncRole: "replication",
  ...more,
});

export type RuleFields = { location?: string; TransferType?: string } & { [name: string]: XmlFields[string] };

export interface Where {
  bucket: string;
  /** @default SHANGHAI */
  region?: string;
}

export function ask(
  fixture: OssFixture,
  method: string,
  { bucket, region = SHANGHAI }: Where,
  queries: Record<string, string>,
  document?: { root: string; fields: XmlFields },
  signing: Partial<Signing> = {},
): Promise<RawAnswer> {
  const body = document === undefined ? "" : xmlDocument(document.root, document.fields);
  return sendSigned(fixture, { method, region, body }, { bucket, queries, ...signing });
}

export const addRule = (fixture: OssFixture, where: Where, Rule: XmlFields | XmlFields[], signing?: Partial<Signing>) =>
  ask(fixture, "POST", where, { replication: "", comp: "add" }, { root: "ReplicationConfiguration", fields: { Rule } }, signing);

/** @returns the id of the rule */
export async function replicate(fixture: OssFixture, where: Where, rule: XmlFields): Promise<string> {
  const answer = await addRule(fixture, where, rule);
  if (answer.status !== 200) throw new Error(answer.body.toString());
  return String(answer.headers["x-oss-replication-rule-id"]);
}

export const deleteRule = (fixture: OssFixture, where: Where, ID: string | string[]) =>
  ask(fixture, "POST", where, { replication: "", comp: "delete" }, { root: "ReplicationRules", fields: { ID } });

export const getRules = async (fixture: OssFixture, where: Where) =>
  (await ask(fixture, "GET", where, { replication: "" })).body.toString();

export const progress = async (fixture: OssFixture, where: Where, id: string) =>
  (await ask(fixture, "GET", where, { replicationProgress: "", "rule-id": id })).body.toString();

/** The content of an object; undefined when it does not exist. */
export async function contentOf(client: Client, key: string): Promise<string | undefined> {
  try {
    return (await client.get(key)).content.toString();
  } catch (error) {
    if ((error as { status?: number }).status === 404) return undefined;
    throw error;
  }
}
