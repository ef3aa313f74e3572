/** Settings whose values a program may take from other resources, so that they are known only while deploying. */
import { AWS_PARTITIONS, CLOUDS, isAws } from "./clouds";
import { pathText, valueAt } from "./paths";

export type Path = readonly (string | number)[];

/** Settings of a side that may be outputs. Functions, policies and the bucket get their values. Only their presence decides which resources there are. */
export const LATE_OF_SIDE = ["bucket", "kmsKeyArn", "kmsKeyId", "customDomain"] as const;

/** Their paths. Every other setting decides which resources there are, so it must be plain. */
export const LATE_SETTINGS: readonly string[] = [
  ...["source", "destination"].flatMap((side) => LATE_OF_SIDE.map((name) => `${side}.${name}`)),
  "auth.tokenParameter",
  "token",
  "allowedCidrs",
  "alarmTopicArn",
  "alarmContactGroups",
  "alarmWebhookUrl",
  "alarmWebhookSecret",
];

/** The text that stands for a value that is not known yet. */
export const labelOf = (path: Path): string => `<${pathText(path)}>`;

/** A valid value, so that the rules check everything else. */
function standInFor(path: Path, raw: unknown): unknown {
  const [first, second] = path;
  if (first === "source" || first === "destination") {
    if (second === "bucket") return `late-${first}`;
    if (second === "kmsKeyArn") return `${arnAt(raw, first, "kms")}:key/late`;
    return second === "customDomain" ? `${first}.late.example` : "late";
  }
  if (first === "auth") return "late-parameter";
  if (first === "token" || first === "alarmWebhookSecret") return Buffer.alloc(32).toString("base64");
  if (first === "alarmWebhookUrl") return "https://late.example";
  if (first === "alarmTopicArn") return `${arnAt(raw, "source", "sns")}:late`;
  const element = first === "allowedCidrs" ? "192.0.2.0/24" : "late";
  return second === undefined ? [element] : element;
}

function arnAt(raw: unknown, side: string, service: string): string {
  const named = valueAt(raw, [side, "cloud"]);
  const cloud = CLOUDS.find((one) => one === named);
  const partition = isAws(cloud) ? AWS_PARTITIONS[cloud].partition : "aws";
  return `arn:${partition}:${service}:${String(valueAt(raw, [side, "region"]))}:${"0".repeat(12)}`;
}

/** A copy with another value at the path. */
export function withValue<T>(root: T, path: Path, value: unknown): T {
  const [key, ...rest] = path;
  if (key === undefined) return value as T;
  if (Array.isArray(root)) return root.map((one, at) => (at === key ? withValue(one, rest, value) : one)) as T;
  const inside = (root ?? {}) as Record<string, unknown>;
  return { ...inside, [key]: withValue(inside[key], rest, value) } as T;
}

export const withStandIns = <T>(raw: T, paths: readonly Path[]): T =>
  paths.reduce((known, path) => withValue(known, path, standInFor(path, raw)), raw);

/** For texts: a stand-in is never shown. */
export const withLabels = <T>(raw: T, paths: readonly Path[]): T =>
  paths.reduce((known, path) => withValue(known, path, isWholeList(path) ? [labelOf(path)] : labelOf(path)), raw);

const isWholeList = ([first, second]: Path): boolean =>
  (first === "allowedCidrs" || first === "alarmContactGroups") && second === undefined;
