/**
 * The configuration of one bridge: validated as a whole, with every error at once, each as
 * `crossborderbridge:<path> = <value>: <why>; allowed: <what>`.
 */

import { RULES } from "./bridge-rules";
import type { Acceleration, Mode } from "./clouds";
import { defaultBuffer, defaultPushAcceleration, defaultUrlExpirySeconds, effectiveGiveUpHours, modeOf } from "./defaults";
import type { Violation } from "./define-rule";
import { ConfigInvalid, nameOfSetting, problemText, unknownKeyText, violationsOf } from "./errors";
import { withLabels, withStandIns } from "./late";
import { pathText, valueAt } from "./paths";
import { bridgeSchema, type LenientConfig, lenientSchema, type ParsedConfig } from "./schema";

/** A valid configuration with every default in its place. Parsing it again gives the same. {@link BridgeSettings} describes each member. */
export interface BridgeConfig extends Omit<ParsedConfig, "name" | "mode" | "buffer" | "timeouts" | "replication"> {
  name: string;
  mode: Mode;
  buffer: "sqs" | "none";
  /** Replication of S3 in mode `native`. Without rules there is one for each prefix of the scope, with the scope's tags. */
  replication: ParsedConfig["replication"] & { metrics: boolean; replicaModifications: boolean };
  timeouts: { senderSeconds: number; receiverSeconds: number; urlExpirySeconds: number };
}

/** Facts for the check that are not among the settings. */
export interface ParseOptions {
  /** Name of the stack (or of the component), the default of `name`. */
  stack: string;
  /** The caller gives the token separately, as a value that is known only while deploying. @default false */
  tokenIsDeferred?: boolean;
  /** Paths of settings whose values are known only while deploying. The result has a label in the place of each, and no token. @default [] */
  late?: readonly (readonly (string | number)[])[];
  /** Paths of settings whose values are secrets, beside the token: no problem shows them. @default [] */
  secrets?: readonly (readonly (string | number)[])[];
  /**
   * The component whose arguments these are, for the problems, such as `CrossBorderBridge "reports"`.
   * @default none: they are a stack's configuration
   */
  component?: string;
}

const overlaps = (a: readonly PropertyKey[], b: readonly PropertyKey[]): boolean =>
  a.slice(0, b.length).every((part, index) => part === b[index]);

/** A copy of `raw` without the invalid values. */
function withoutPaths(raw: unknown, paths: readonly (readonly PropertyKey[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return undefined;
  // A list with a wrong element is left out as a whole: rules about lists count their elements.
  if (Array.isArray(raw)) return paths.length > 0 ? undefined : raw;
  if (typeof raw !== "object" || raw === null) return raw;
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => [
      key,
      withoutPaths(
        value,
        paths.filter((path) => path[0] === key).map((path) => path.slice(1)),
      ),
    ]),
  );
}

function complete(parsed: ParsedConfig, stack: string): BridgeConfig {
  const mode = modeOf(parsed) ?? "pull";
  const { source, destination, replication } = parsed;
  return {
    ...parsed,
    name: parsed.name ?? stack,
    mode,
    source: { ...source, acceleration: accelerationOf(source, mode === "pull" ? "none" : undefined) },
    destination: {
      ...destination,
      acceleration: accelerationOf(
        destination,
        mode === "push" ? defaultPushAcceleration(source.region, destination) : undefined,
      ),
    },
    replication: {
      ...replication,
      metrics: replication.metrics ?? replication.timeControl,
      replicaModifications: replication.replicaModifications ?? parsed.direction === "two-way",
    },
    buffer: parsed.buffer ?? defaultBuffer(source.cloud),
    giveUpAfterHours: effectiveGiveUpHours(source.cloud, parsed.giveUpAfterHours),
    timeouts: {
      ...parsed.timeouts,
      urlExpirySeconds: parsed.timeouts.urlExpirySeconds ?? defaultUrlExpirySeconds(parsed.copy.timeoutSeconds),
    },
  };
}

/** `fallback` is undefined when the mode does not use acceleration on this side. */
function accelerationOf(
  { cloud, acceleration }: ParsedConfig["source"],
  fallback: Acceleration | undefined,
): Acceleration | undefined {
  return acceleration ?? (cloud === "alicloud" ? fallback : undefined);
}

/**
 * Validates a whole configuration. Has no side effects.
 * @throws ConfigInvalid with every problem. The texts hold no secret.
 */
export function parseBridgeConfig(raw: Record<string, unknown>, options: ParseOptions): BridgeConfig {
  const late = [...(options.late ?? []), ...(options.tokenIsDeferred === true ? [["token"]] : [])];
  const named = withStandIns({ ...raw, name: raw.name ?? options.stack }, late);
  const parsed = bridgeSchema.safeParse(named);
  const { violations: invalid, unknown } = parsed.success ? { violations: [], unknown: [] } : violationsOf(parsed.error, named);
  const violations = [...lostTags(named), ...invalid];
  const wrong = [...violations.map(({ path }) => path), ...unknown.map(({ path, key }) => [...path, key])];
  const view: LenientConfig = lenientSchema.parse(stripUnknown(withoutPaths(named, wrong)));
  const context = { component: options.component };
  const isWrong = (path: readonly PropertyKey[]) =>
    violations.some((earlier) => overlaps(earlier.path, path) || overlaps(path, earlier.path));
  const crossing: Violation[] = RULES.flatMap((rule) => rule(view, context)).filter(
    ({ path, assumes = [] }) => ![path, ...assumes].some(isWrong),
  );
  const nameOf = nameOfSetting(options.component);
  const secrets = (options.secrets ?? []).map(pathText);
  const shown = withLabels(named, late);
  const problems = [
    ...unknown.map(({ path, key }) => unknownKeyText(path, key, nameOf)),
    ...[...violations, ...crossing].map((violation) => problemText(violation, shown, nameOf, secrets)),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigInvalid(problems);
  const { token, ...config } = withLabels(complete(parsed.data, options.stack), late);
  return token === undefined || late.some(([first]) => first === "token") ? config : { ...config, token };
}

/** The schema leaves out a tag of this name without an error, so that the scope would be wider than it looks. */
const LOST_NAME = "__proto__";

function lostTags(raw: unknown): Violation[] {
  const rules = valueAt(raw, ["replication", "rules"]);
  const ofRules = Array.isArray(rules) ? rules.map((_, index) => ["replication", "rules", index, "tags"]) : [];
  return [["tags"], ["scope", "tags"], ...ofRules]
    .filter((path) => Object.hasOwn(Object(valueAt(raw, path)), LOST_NAME))
    .map((path) => ({
      path: [...path, LOST_NAME],
      message: "JavaScript reserves this name, so the bridge cannot read it; allowed: another tag name",
    }));
}

/** Drops unknown keys, which are `undefined` by now: the sections accept only known names. */
function stripUnknown(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
