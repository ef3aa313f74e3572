/** Writes the error text of a configuration: a line for each problem, with its path, its value and the allowed values. */
import type { z } from "zod";
import { CLOUDS, STORAGE_CLASSES } from "./clouds";
import type { Violation } from "./define-rule";
import { pathText, valueAt } from "./paths";
import { KNOWN_KEYS } from "./schema";
import { asType, closest, didYouMean, likelyChoices } from "./suggestions";

/** Values at these paths are never shown. */
const SECRET_PATHS: ReadonlySet<string> = new Set(["token", "alarmWebhookUrl", "alarmWebhookSecret"]);
const SHOWN_CHARACTERS = 80;

/**
 * Thrown for a configuration that cannot be deployed. `problems` has one line per error.
 *
 * It has the mark of `pulumi.RunError`, so the engine prints the message alone, without a stack. The SDK looks for the mark and not for the class,
 * because a process may have loaded several copies of it. Importing the class would load the whole SDK into the operator's command.
 */
export class ConfigInvalid extends Error {
  /** One line for each mistake: the setting, its value, why it cannot be, and what is allowed. Values of secrets are left out. */
  readonly problems: readonly string[];
  /** See `pulumi.RunError.isInstance`. */
  readonly __pulumiRunError = true;
  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? "an error" : `${problems.length} errors`}:\n  ${problems.join("\n  ")}`,
    );
    this.name = "ConfigInvalid";
    this.problems = problems;
  }
}

/**
 * Runs a check that knows only the arguments, and puts the component in front of each problem.
 * @param component for example `CrossBorderBridge "reports"`
 * @throws ConfigInvalid
 */
export function checkedFor<T>(component: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof ConfigInvalid) throw new ConfigInvalid(error.problems.map((problem) => `${component}: ${problem}`));
    throw error;
  }
}

/** Names a setting in a problem: of a stack's configuration, or of a component's arguments. */
export type SettingName = (path: string) => string;
export const nameOfSetting =
  (component: string | undefined): SettingName =>
  (path) =>
    component === undefined ? `crossborderbridge:${path}` : `${component}: ${path}`;

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > SHOWN_CHARACTERS ? `${json.slice(0, SHOWN_CHARACTERS)}...` : json;
}

/** @param secrets paths whose values are not shown, beside those of the secrets of every configuration */
export function problemText(violation: Violation, raw: unknown, nameOf: SettingName, secrets: readonly string[]): string {
  const path = pathText(violation.path);
  const name = nameOf(path);
  const value = valueAt(raw, violation.path);
  if (value === undefined) return `${name} is not set: ${violation.message}`;
  if (SECRET_PATHS.has(path) || secrets.some((secret) => path === secret || secret.startsWith(`${path}[`)))
    return `${name} (a secret): ${violation.message}`;
  return `${name} = ${shown(value)}: ${violation.message}`;
}

const knownKeys = (path: readonly PropertyKey[]): readonly string[] => KNOWN_KEYS[pathText(path).replace(/\[\d+\]/g, "[]")] ?? [];

/** The value of an unknown key is not shown: it may be a secret under a wrong name. */
export function unknownKeyText(path: readonly PropertyKey[], key: string, nameOf: SettingName): string {
  const known = knownKeys(path);
  const suggestion = closest(key, known);
  const hint = suggestion === undefined ? "" : didYouMean([pathText([...path, suggestion])]);
  return `${nameOf(pathText([...path, key]))}: unknown key;${hint} allowed: ${known.join(", ")}`;
}

/** Every message is `<why>; allowed: <what>`. */
const ALLOWED = "; allowed: ";

/** The message of the setting's schema, with a reason that fits the value, and with what the value may stand for. */
function messageOf(issue: z.core.$ZodIssue, raw: unknown): string {
  const value = valueAt(raw, issue.path);
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  const isSection = issue.code === "invalid_type" && issue.expected === "object";
  const [reason = "", ...rest] = issue.message.split(ALLOWED);
  const allowed = isSection ? `a map with ${knownKeys(issue.path).join(", ")}` : rest.join(ALLOWED);
  if (value === undefined) return `it is required${ALLOWED}${allowed}`;
  if (value === null) return `it is empty${ALLOWED}${allowed}`;
  const suggestions = SECRET_PATHS.has(pathText(issue.path)) ? [] : suggestionsFor(issue, raw);
  if (!isSection && suggestions.length === 0) return issue.message;
  const why = isSection ? `${Array.isArray(value) ? "a list" : "a single value"}, where a map must be` : reason;
  return `${why};${didYouMean(suggestions)} allowed: ${allowed}`;
}

function suggestionsFor(issue: z.core.$ZodIssue, raw: unknown): string[] {
  const value = valueAt(raw, issue.path);
  if (issue.code === "invalid_value") return likelyChoices(value, choicesAt(issue.path, issue.values.map(String), raw));
  if (issue.code !== "invalid_type") return [];
  const inside = Array.isArray(value) ? LISTS_IN_SECTIONS[pathText(issue.path)] : undefined;
  const digits = issue.path.at(-1) === "accountId" ? ACCOUNT_DIGITS : 0;
  const meant = issue.expected === "object" ? inside && pathText([...issue.path, inside]) : asType(value, issue.expected, digits);
  return meant === undefined ? [] : [meant];
}

/** The schema of a storage class has those of every cloud. */
function choicesAt(path: readonly PropertyKey[], choices: readonly string[], raw: unknown): readonly string[] {
  const cloud = CLOUDS.find((one) => one === valueAt(raw, ["destination", "cloud"]));
  return pathText(path) === "destination.storageClass" && cloud !== undefined ? STORAGE_CLASSES[cloud] : choices;
}

/** An account of AWS has 12 digits, one of Alibaba Cloud more. */
const ACCOUNT_DIGITS = 12;

/** The setting that a user probably meant who wrote a list in place of a section. */
const LISTS_IN_SECTIONS: Readonly<Record<string, string>> = { scope: "prefixes", replication: "rules" };

export function violationsOf(
  error: z.ZodError,
  raw: unknown,
): {
  violations: Violation[];
  unknown: { path: readonly PropertyKey[]; key: string }[];
} {
  const violations: Violation[] = [];
  const unknown: { path: readonly PropertyKey[]; key: string }[] = [];
  for (const issue of error.issues) {
    if (issue.code === "unrecognized_keys") unknown.push(...issue.keys.map((key) => ({ path: issue.path, key })));
    // Several checks of one field may fail. Only the first is reported.
    else if (!violations.some(({ path }) => pathText(path) === pathText(issue.path)))
      violations.push({ path: issue.path, message: messageOf(issue, raw) });
  }
  return { violations, unknown };
}
