/** Whether the settings of each function fit into its environment. */
import { CONFIG_VARIABLE, type Role } from "../../runtime/protocol/env";
import { asciiJson } from "../../runtime/protocol/json";
import { type Cloud, isAws } from "./clouds";
import type { Rule, Violation } from "./define-rule";
import { ConfigInvalid } from "./errors";
import { type FunctionSettings, functionSettings } from "./function-settings";
import { LIMITS } from "./limits";
import type { LenientConfig } from "./schema";

/** The variable of a function of Function Compute besides its settings: the time limit. */
const FC_VARIABLES = { TIMEOUT_SECONDS: "86400" };
/** What `pause` adds. */
const PAUSED = { BRIDGE_PAUSED: "1" };

const sizeOf = (variables: Readonly<Record<string, string>>): number =>
  Object.entries(variables).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);

const bytesIn = ({ cloud, settings }: FunctionSettings): number =>
  sizeOf({ [CONFIG_VARIABLE]: asciiJson(settings), ...PAUSED, ...(isAws(cloud) ? {} : FC_VARIABLES) });

/** The size of the variables of each function, at most. */
export const environmentSizes = (config: LenientConfig): { role: Role; cloud: Cloud; bytes: number }[] =>
  functionSettings(config).map((one) => ({ role: one.role, cloud: one.cloud, bytes: bytesIn(one) }));

const serviceOf = (cloud: Cloud) =>
  isAws(cloud)
    ? { name: "Lambda", most: LIMITS.lambdaEnvironment.most }
    : { name: "Function Compute", most: LIMITS.fcEnvironment.most };

/** The settings of the stack that a function's settings repeat, and that have no short bound. */
const REPEATED = {
  scope: ["sender", "dispatcher", "pusher", "prober"],
  allowedCidrs: ["receiver"],
  "destination.prefix": ["receiver", "copier", "pusher", "prober"],
} as const satisfies Readonly<Record<string, readonly Role[]>>;
type Repeated = keyof typeof REPEATED;

/** The setting that takes most of a function's environment. */
function largestIn(
  role: Role,
  { scope, allowedCidrs, destination }: LenientConfig,
): { name: Repeated; bytes: number } | undefined {
  const values: Record<Repeated, unknown> = { scope, allowedCidrs, "destination.prefix": destination?.prefix ?? "" };
  const [largest] = (Object.keys(REPEATED) as Repeated[])
    .filter((name) => (REPEATED[name] as readonly Role[]).includes(role))
    .map((name) => ({ name, bytes: asciiJson(values[name]).length }))
    .sort((one, other) => other.bytes - one.bytes);
  return largest;
}

/** For each setting, reports the function whose environment it exceeds most. */
export const environmentFits: Rule = (config) => {
  const worst = new Map<Repeated, { over: number; violation: Violation }>();
  for (const { role, cloud, bytes } of environmentSizes(config)) {
    const service = serviceOf(cloud);
    const over = bytes - service.most;
    const largest = largestIn(role, config);
    if (over <= 0 || largest === undefined || (worst.get(largest.name)?.over ?? 0) >= over) continue;
    const message =
      `the ${role} gets it as ${largest.bytes} bytes of JSON, so its environment has up to ${bytes} bytes, and ${service.name} allows ` +
      `${service.most}; allowed: at most ${Math.max(0, largest.bytes - over)} bytes of JSON (a character outside ASCII takes 6)`;
    worst.set(largest.name, { over, violation: { path: largest.name.split("."), message } });
  }
  return [...worst.values()].map(({ violation }) => violation);
};

/**
 * @param role the function's
 * @throws ConfigInvalid that names the settings to shorten, before the cloud refuses the variables
 */
export function withinEnvironment(role: Role, cloud: Cloud, variables: Record<string, string>): Record<string, string> {
  const { name, most } = serviceOf(cloud);
  const bytes = sizeOf(variables);
  if (bytes > most)
    throw new ConfigInvalid([
      `the settings of the ${role} take ${bytes} bytes, and ${name} allows ${most} in a function's environment; ` +
        "allowed: fewer or shorter scope.prefixes, scope.suffixes, scope.tags, allowedCidrs and destination.prefix",
    ]);
  return variables;
}
