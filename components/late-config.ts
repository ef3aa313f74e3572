/**
 * The configuration of a component whose arguments may have values of other resources. Plain values are checked at once, and values of
 * resources when they are known: each by itself, and those of both sides together.
 */
import * as pulumi from "@pulumi/pulumi";
import { type BridgeConfig, ConfigInvalid, parseBridgeConfig } from "./config";
import { type LATE_OF_SIDE, LATE_SETTINGS, type Path, withValue } from "./config/late";
import { pathText, valueAt } from "./config/paths";
import { isMocked } from "./mocked";

type LateOfSide = (typeof LATE_OF_SIDE)[number];

/** Plain settings of a side, and outputs for the values that may come from other resources. */
export type DeclaredSide<S extends BridgeConfig["source"]> = Omit<S, LateOfSide> & {
  [Key in LateOfSide]: undefined extends S[Key] ? pulumi.Output<string> | undefined : pulumi.Output<string>;
};

type Secrets = "token" | "alarmWebhookUrl" | "alarmWebhookSecret";
type LateSettings = "allowedCidrs" | "alarmTopicArn" | "alarmContactGroups" | Secrets;

/** The settings that every function and policy reads, once all values of both sides are known. */
export interface ResolvedConfig extends Omit<BridgeConfig, LateSettings | "auth"> {
  auth: Omit<BridgeConfig["auth"], "tokenParameter">;
}

/** The configuration as the components get it. An output is there exactly where the arguments have a value. */
export interface DeclaredConfig extends Omit<ResolvedConfig, "source" | "destination"> {
  source: DeclaredSide<BridgeConfig["source"]>;
  destination: DeclaredSide<BridgeConfig["destination"]>;
  auth: ResolvedConfig["auth"] & { tokenParameter: pulumi.Output<string> | undefined };
  allowedCidrs: pulumi.Output<string[]>;
  alarmTopicArn: pulumi.Output<string> | undefined;
  alarmContactGroups: pulumi.Output<string[]>;
}

export interface LateConfig {
  /** For decisions and for texts: each value that is not known yet has a label, and the token is left out unless it is plain. */
  plain: BridgeConfig;
  declared: DeclaredConfig;
  resolved: pulumi.Output<ResolvedConfig>;
  token: pulumi.Output<string> | undefined;
  /** Where alarms are posted to. Both values are secrets. */
  webhook: { url: pulumi.Output<string>; secret: pulumi.Output<string> | undefined } | undefined;
  /** Whether the names of both buckets are known at once. */
  namesArePlain: boolean;
}

interface Late {
  path: Path;
  /** The path of the setting, which for an element is that of its list. */
  setting: string;
}

/**
 * @param component for the problems, such as `CrossBorderBridge "reports"`
 * @throws ConfigInvalid with every problem of the plain values
 */
export function readArguments(component: string, name: string, raw: Record<string, unknown>): LateConfig {
  const found = valuesOfResources(raw, []);
  const late = found.flatMap((path): Late[] => {
    const setting = LATE_SETTINGS.find((one) => one === pathText(path) || one === pathText(path.slice(0, 1)));
    return setting === undefined ? [] : [{ path, setting }];
  });
  const refused = found.filter((path) => !late.some((one) => one.path === path));
  if (refused.length > 0) throw new ConfigInvalid(refused.map((path) => `${component}: ${pathText(path)}: ${MUST_BE_PLAIN}`));

  const paths = late.map(({ path }) => path);
  const options = { stack: name, component };
  const once = oneError();
  const plain = parseBridgeConfig(raw, { ...options, late: paths });

  /** The values of some settings, checked together. The others keep their stand-ins. */
  const checked = (chosen: readonly Late[]): pulumi.Output<BridgeConfig> => {
    const inputs = chosen.map(({ path }) => pulumi.output(valueAt(raw, path)));
    return pulumi.all([pulumi.all(inputs), pulumi.all(inputs.map((input) => pulumi.isSecret(input)))]).apply(
      ([values, secret]): BridgeConfig =>
        once(() => {
          const isEmpty = (at: number) => values[at] === undefined || values[at] === null;
          const empty = chosen.filter((_, at) => isEmpty(at));
          if (empty.length > 0 && !isMocked())
            throw new ConfigInvalid(empty.map(({ path }) => `${component}: ${pathText(path)}: ${CAME_OUT_EMPTY}`));
          const known = chosen.reduce(
            (settings, { path }, at) => (isEmpty(at) ? settings : withValue(settings, path, values[at])),
            raw,
          );
          const unknown = late.filter((one) => !chosen.includes(one) || empty.includes(one)).map(({ path }) => path);
          const secrets = chosen.filter((_, at) => secret[at]).map(({ path }) => path);
          return parseBridgeConfig(known, { ...options, late: unknown, secrets });
        }),
    );
  };
  const outputAt: OutputAt = <T>(path: Path) => {
    const inside = late.filter(({ setting }) => setting === pathText(path));
    const value = valueAt(plain, path);
    if (inside.length === 0) return value === undefined ? undefined : (pulumi.output(value) as pulumi.Output<T>);
    return checked(inside).apply((config) => valueAt(config, path)) as pulumi.Output<T>;
  };
  const ofSides = late.filter(({ path }) => path[0] === "source" || path[0] === "destination");
  const secretAt = (setting: string): pulumi.Output<string> | undefined => {
    const value = raw[setting] === undefined ? undefined : outputAt<string>([setting]);
    return value === undefined ? undefined : pulumi.secret(value);
  };
  const webhookUrl = secretAt("alarmWebhookUrl");
  return {
    plain,
    declared: declare(plain, outputAt),
    resolved: checked(ofSides).apply(withoutSecrets),
    token: secretAt("token"),
    webhook: webhookUrl === undefined ? undefined : { url: webhookUrl, secret: secretAt("alarmWebhookSecret") },
    namesArePlain: !ofSides.some(({ path }) => path[1] === "bucket"),
  };
}

/** Several checks find one wrong value. The engine prints an error once if it is the same object. */
function oneError(): <T>(check: () => T) => T {
  const thrown = new Map<string, ConfigInvalid>();
  return (check) => {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof ConfigInvalid)) throw error;
      const first = thrown.get(error.message) ?? error;
      thrown.set(error.message, first);
      throw first;
    }
  };
}

const MUST_BE_PLAIN =
  "known only while deploying, and it decides which resources there are; allowed: a plain value, for example of the program's configuration. " +
  `Values of other resources are allowed in ${LATE_SETTINGS.join(", ")}`;
const CAME_OUT_EMPTY = "the value that another resource gave is empty; allowed: an output with a value, or leave the setting out";

/** The paths of outputs and promises. */
function valuesOfResources(value: unknown, path: Path): Path[] {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return [path];
  if (typeof value !== "object" || value === null) return [];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, inside]) => valuesOfResources(inside, [...path, key]));
}

type OutputAt = <T>(path: Path) => pulumi.Output<T> | undefined;

function declare(config: BridgeConfig, outputAt: OutputAt): DeclaredConfig {
  const plain = withoutSecrets(config);
  const side = (name: "source" | "destination") => ({
    bucket: outputAt<string>([name, "bucket"]) ?? missing(`${name}.bucket`),
    kmsKeyArn: outputAt<string>([name, "kmsKeyArn"]),
    kmsKeyId: outputAt<string>([name, "kmsKeyId"]),
    customDomain: outputAt<string>([name, "customDomain"]),
  });
  return {
    ...plain,
    source: { ...plain.source, ...side("source") },
    destination: { ...plain.destination, ...side("destination") },
    auth: { ...plain.auth, tokenParameter: outputAt<string>(["auth", "tokenParameter"]) },
    allowedCidrs: outputAt<string[]>(["allowedCidrs"]) ?? missing("allowedCidrs"),
    alarmTopicArn: outputAt<string>(["alarmTopicArn"]),
    alarmContactGroups: outputAt<string[]>(["alarmContactGroups"]) ?? missing("alarmContactGroups"),
  };
}

function missing(setting: string): never {
  throw new Error(`the configuration has no ${setting} after its check`);
}

const withoutSecrets = ({
  token: _token,
  alarmWebhookUrl: _url,
  alarmWebhookSecret: _secret,
  ...config
}: BridgeConfig): Omit<BridgeConfig, Secrets> => config;
