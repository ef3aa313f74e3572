/**
 * Lifecycle rules are checked, stored and returned. They have no effect.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketlifecycle
 */
import { randomUUID } from "node:crypto";
import { EC } from "../error-codes";
import type { Operation } from "../operation";
import { invalidArgument, malformedXml, OssError } from "../oss-error";
import { assertTagCharacters } from "../tags";
import type { XmlFields } from "../xml";
import { parseXmlBody, type XmlElement } from "../xml-body";

const MAX_RULES = 1000;
const MAX_ID_BYTES = 255;
/** From warm to cold: a rule moves an object in this order. */
const COLDER = ["IA", "Archive", "ColdArchive", "DeepColdArchive"];

/** When an action happens: after days, or to objects from before a date. */
interface When {
  days?: number;
  date?: number;
}

interface Action {
  /** Two rules whose prefixes overlap may not have the same kind. */
  kind: string;
  when: When;
  /** For a transition. */
  storageClass?: string;
}

interface Rule {
  prefix: string;
  tags: string;
  enabled: boolean;
  actions: Action[];
}

const refused = (message: string, ec: string) => new OssError(400, "InvalidArgument", message, { ec });

export async function putLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketLifecycle");
  const { exchange, bucket } = operation;
  const document = await parseXmlBody(await exchange.readDocument(), "LifecycleConfiguration", EC.lifecycle.xml);
  const other = Object.keys(document.toFields()).find((name) => name !== "Rule");
  if (other !== undefined) throw malformedXml(`LifecycleConfiguration has no element ${other}.`, EC.lifecycle.otherElement);
  const elements = document.all("Rule");
  if (elements.length === 0 || elements.length > MAX_RULES)
    throw malformedXml(`LifecycleConfiguration takes 1 to ${MAX_RULES} rules.`, EC.lifecycle.noRule);
  const rules = elements.map(readRule);
  if (elements.some((rule) => usesAccessTime(rule.toFields())) && bucket.record.accessMonitoredSince === undefined)
    throw new OssError(400, "InvalidRequest", "A rule that is based on access times needs access monitoring of the bucket.", {
      ec: EC.lifecycle.noAccessMonitor,
    });
  const ids = elements.map((rule) => rule.first("ID")?.text || randomUUID());
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw invalidArgument("The ID of a lifecycle rule must be unique.", { name: "ID", value: twice });
  if (exchange.header("x-oss-allow-same-action-overlap") !== "true") assertNoOverlap(rules);
  assertOrderAcross(rules);
  await bucket.configure({ lifecycle: { Rule: elements.map((rule, index) => ({ ...rule.toFields(), ID: ids[index] })) } });
  exchange.send(200);
}

function readRule(rule: XmlElement): Rule {
  const status = rule.required("Status").text.trim();
  if (status !== "Enabled" && status !== "Disabled")
    throw malformedXml(`Status must be Enabled or Disabled, not ${status}.`, EC.lifecycle.status);
  const id = rule.first("ID")?.text ?? "";
  if (Buffer.byteLength(id) > MAX_ID_BYTES)
    throw invalidArgument(`The ID of a lifecycle rule has at most ${MAX_ID_BYTES} bytes.`, { name: "ID", value: id });
  const tags = rule.all("Tag").map((tag): [string, string] => [tag.required("Key").text, tag.required("Value").text]);
  for (const [name, value] of tags) assertTagCharacters(name, value);
  const actions = readActions(rule);
  if (actions.length === 0)
    throw malformedXml("A lifecycle rule needs an expiration, a transition or an abortion of multipart uploads.");
  for (const [expirationKind, transitionKind] of VERSION_KINDS) {
    assertOneUnit(actions, expirationKind, transitionKind);
    assertOrder(actions, expirationKind, transitionKind);
  }
  return {
    prefix: rule.first("Prefix")?.text ?? "",
    tags: JSON.stringify(tags.sort()),
    enabled: status === "Enabled",
    actions,
  };
}

function readActions(rule: XmlElement): Action[] {
  const expiration = rule.first("Expiration");
  const abort = rule.first("AbortMultipartUpload");
  return [
    ...(expiration === undefined ? [] : [{ kind: "Expiration", when: readExpiration(expiration) }]),
    ...(abort === undefined ? [] : [{ kind: "AbortMultipartUpload", when: readWhen(abort, "Days", ["CreatedBeforeDate"]) }]),
    ...rule.all("Transition").map((one) => readTransition(one, "Transition", "Days")),
    ...rule
      .all("NoncurrentVersionExpiration")
      .map((one) => ({ kind: "NoncurrentVersionExpiration", when: readWhen(one, "NoncurrentDays", []) })),
    ...rule.all("NoncurrentVersionTransition").map((one) => readTransition(one, "NoncurrentVersionTransition", "NoncurrentDays")),
  ];
}

function readExpiration(element: XmlElement): When {
  const marker = element.first("ExpiredObjectDeleteMarker")?.text.trim().toLowerCase();
  if (marker === undefined) return readWhen(element, "Days", ["CreatedBeforeDate", "Date"]);
  if (marker !== "true" && marker !== "false") throw malformedXml("ExpiredObjectDeleteMarker must be true or false.");
  if (["Days", "CreatedBeforeDate", "Date"].some((name) => element.first(name) !== undefined))
    throw malformedXml("ExpiredObjectDeleteMarker stands alone in Expiration.");
  return {};
}

/** @throws OssError unless exactly one of the elements is there */
function readWhen(element: XmlElement, days: string, dates: readonly string[]): When {
  const given = [days, ...dates].flatMap((name) => {
    const text = element.first(name)?.text.trim();
    return text === undefined ? [] : [{ name, text }];
  });
  const [first] = given;
  if (first === undefined || given.length > 1)
    throw malformedXml(`An action of a lifecycle rule needs one of ${[days, ...dates].join(", ")}.`);
  const { name, text } = first;
  if (name === days) {
    if (!/^[1-9]\d{0,9}$/.test(text)) throw invalidArgument(`${name} must be a positive integer.`, { name, value: text });
    return { days: Number(text) };
  }
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw invalidArgument(`${name} must be a time in UTC.`, { name, value: text });
  return { date: at };
}

function readTransition(element: XmlElement, kind: string, days: string): Action {
  const storageClass = element.required("StorageClass").text.trim();
  if (!COLDER.includes(storageClass))
    throw invalidArgument(`A transition is to ${COLDER.join(", ")}.`, { name: "StorageClass", value: storageClass });
  const dates = days === "Days" ? ["CreatedBeforeDate"] : [];
  return { kind: `${kind} to ${storageClass}`, storageClass, when: readWhen(element, days, dates) };
}

/** Current versions and earlier ones have an order each. */
const VERSION_KINDS = [
  ["Expiration", "Transition"],
  ["NoncurrentVersionExpiration", "NoncurrentVersionTransition"],
] as const;

/** How late an action comes: the transitions from warm to cold, then the expiration. Undefined for other actions. */
function stageOf({ kind, storageClass }: Action, expirationKind: string, transitionKind: string): number | undefined {
  if (kind === expirationKind) return COLDER.length;
  return kind.startsWith(`${transitionKind} to `) ? COLDER.indexOf(storageClass ?? "") : undefined;
}

/** All actions of one rule have days, or all have dates. */
function assertOneUnit(actions: readonly Action[], expirationKind: string, transitionKind: string): void {
  const whens = actions.filter((one) => stageOf(one, expirationKind, transitionKind) !== undefined).map(({ when }) => when);
  if (!whens.some(({ days }) => days !== undefined) || !whens.some(({ date }) => date !== undefined)) return;
  throw new OssError(
    400,
    "InvalidRequest",
    "Found mixed CreatedBeforeDate and Days based Expiration and Transition actions in a lifecycle rule.",
    { ec: EC.lifecycle.mixedTimes },
  );
}

/** A transition to a colder class is later than one to a warmer, and an expiration is later than all. */
function assertOrder(actions: readonly Action[], expirationKind: string, transitionKind: string): void {
  const staged = actions
    .flatMap((action) => {
      const stage = stageOf(action, expirationKind, transitionKind);
      const { days } = action.when;
      return stage === undefined || days === undefined ? [] : [{ kind: action.kind, stage, days }];
    })
    .sort((a, b) => a.stage - b.stage);
  for (const [index, { kind, stage, days }] of staged.entries()) {
    const earlier = staged.slice(0, index).find((one) => one.stage < stage && one.days >= days);
    if (earlier === undefined) continue;
    throw refused(`The days of ${kind} must be more than those of ${earlier.kind}.`, EC.lifecycle.order);
  }
}

/** Enabled rules that select common objects. */
const overlap = (rule: Rule, other: Rule): boolean =>
  (rule.prefix.startsWith(other.prefix) || other.prefix.startsWith(rule.prefix)) &&
  rule.tags === other.tags &&
  rule.enabled &&
  other.enabled;

/** The order holds across rules that overlap, too. https://www.alibabacloud.com/help/en/oss/support/0014-00000082 */
function assertOrderAcross(rules: readonly Rule[]): void {
  for (const [index, rule] of rules.entries())
    for (const other of rules.slice(index + 1).filter((one) => overlap(rule, one)))
      for (const [expirationKind, transitionKind] of VERSION_KINDS)
        assertOrder([...rule.actions, ...other.actions], expirationKind, transitionKind);
}

/** https://www.alibabacloud.com/help/en/oss/user-guide/0014-00000084 */
function assertNoOverlap(rules: readonly Rule[]): void {
  for (const [index, rule] of rules.entries())
    for (const other of rules.slice(index + 1)) {
      if (!overlap(rule, other)) continue;
      const both = rule.actions.find(({ kind }) => other.actions.some((action) => action.kind === kind));
      if (both === undefined) continue;
      const ec = both.storageClass === undefined ? EC.lifecycle.actionOverlap : EC.lifecycle.transitionOverlap;
      throw new OssError(400, "InvalidRequest", `Overlap for same action type ${both.kind}`, { ec });
    }
}

/** Whether a rule counts from the last access of an object. */
export const usesAccessTime = (stored: XmlFields): boolean => JSON.stringify(stored).includes('"IsAccessTime":["true"]');

export async function getLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketLifecycle");
  const { name, lifecycle } = operation.bucket.record;
  if (lifecycle === undefined)
    throw new OssError(404, "NoSuchLifecycle", "No Row found in Lifecycle Table.", { details: { BucketName: name } });
  operation.exchange.sendXml("LifecycleConfiguration", lifecycle);
}

export async function deleteLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketLifecycle");
  await operation.bucket.unset("lifecycle");
  operation.exchange.send(204);
}
