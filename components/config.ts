/**
 * The configuration of one bridge: validated as a whole, with every error at once, each as
 * `crossborderbridge:<path> = <value>: <why>; allowed: <what>`.
 */
import type { SupportedCloud } from "./config/clouds";
import { ConfigInvalid, problemText, unknownKeyText, violationsOf } from "./config/errors";
import { minimumUrlExpirySeconds, RULES, type Violation } from "./config/rules";
import { bridgeSchema, type LenientConfig, lenientSchema, type ParsedConfig } from "./config/schema";

export type { Cloud, SupportedCloud } from "./config/clouds";
export { ConfigInvalid } from "./config/errors";
export { COPIER_EVENT_AGE_SECONDS } from "./config/rules";

type OnSupportedCloud<T> = Omit<T, "cloud"> & { cloud: SupportedCloud };

/** A valid configuration with every default in its place. Parsing it again gives the same. */
export interface BridgeConfig extends Omit<ParsedConfig, "name" | "mode" | "direction" | "source" | "destination" | "timeouts"> {
  name: string;
  mode: "pull";
  direction: "one-way";
  source: OnSupportedCloud<ParsedConfig["source"]>;
  destination: OnSupportedCloud<ParsedConfig["destination"]>;
  timeouts: { senderSeconds: number; receiverSeconds: number; urlExpirySeconds: number };
}

export interface ParseOptions {
  /** Name of the stack (or of the component), the default of `name`. */
  stack: string;
  /** The token is given apart, as a value that is known only while deploying. */
  tokenIsDeferred?: boolean;
}

/** Beyond the least that a copier needs: a copy that is asked for again soon may join with the URL it has. */
const URL_EXPIRY_SLACK_SECONDS = 180;

export const ICP_NOTICE =
  "The receiver is an API Gateway endpoint in AWS China with auth.kind: token, so requests carry no AWS signature. AWS China serves " +
  'such endpoints only to accounts with an ICP licence; every other account answers 403 {"message":null}. Get the licence ' +
  "recorded for the account, or set auth.kind: iam, which works without one.";
export const OPEN_ALLOWLIST_NOTICE =
  "allowedCidrs has 0.0.0.0/0: any address may knock at the receiver, and only the signature keeps requests out. egress: static gives the sender one address to allow.";
export const ADOPTED_SOURCE_NOTICE =
  "The source bucket is adopted, so its notification configuration is left alone (a bucket has one, and writing it replaces what is " +
  "there). Merge the output requiredNotification into it by hand; until then no event reaches this bridge.";

/** What an operator should know about a valid configuration. */
export function noticesOf(config: BridgeConfig): string[] {
  const notices: string[] = [];
  if (config.destination.cloud === "aws-cn" && config.auth.kind === "token") notices.push(ICP_NOTICE);
  if (config.allowedCidrs.includes("0.0.0.0/0")) notices.push(OPEN_ALLOWLIST_NOTICE);
  if (config.source.adopt) notices.push(ADOPTED_SOURCE_NOTICE);
  return notices;
}

const overlaps = (a: readonly PropertyKey[], b: readonly PropertyKey[]): boolean =>
  a.slice(0, b.length).every((part, index) => part === b[index]);

/** A copy of `raw` without what is wrong in it. */
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
  // The rules have refused every other mode, direction and cloud.
  return {
    ...parsed,
    name: parsed.name ?? stack,
    mode: "pull",
    direction: "one-way",
    timeouts: {
      ...parsed.timeouts,
      urlExpirySeconds:
        parsed.timeouts.urlExpirySeconds ?? minimumUrlExpirySeconds(parsed.copy.timeoutSeconds) + URL_EXPIRY_SLACK_SECONDS,
    },
  } as BridgeConfig;
}

/**
 * Validates a whole configuration. Pure.
 * @throws ConfigInvalid with every problem, none of which holds a secret.
 */
export function parseBridgeConfig(raw: Record<string, unknown>, options: ParseOptions): BridgeConfig {
  const named = { ...raw, name: raw.name ?? options.stack };
  const parsed = bridgeSchema.safeParse(named);
  const { violations, unknown } = parsed.success ? { violations: [], unknown: [] } : violationsOf(parsed.error);
  const wrong = [...violations.map(({ path }) => path), ...unknown.map(({ path, key }) => [...path, key])];
  const view: LenientConfig = lenientSchema.parse(stripUnknown(withoutPaths(named, wrong)));
  const context = { tokenIsDeferred: options.tokenIsDeferred === true };
  const isWrong = (path: readonly PropertyKey[]) =>
    violations.some((earlier) => overlaps(earlier.path, path) || overlaps(path, earlier.path));
  const crossing: Violation[] = RULES.flatMap((rule) => rule(view, context)).filter(
    ({ path, assumes = [] }) => ![path, ...assumes].some(isWrong),
  );
  const problems = [
    ...unknown.map(({ path, key }) => unknownKeyText(path, key)),
    ...[...violations, ...crossing].map((violation) => problemText(violation, named)),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigInvalid(problems);
  return complete(parsed.data, options.stack);
}

/** The unknown keys are there as `undefined` by now; the sections are strict about their names. */
function stripUnknown(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
