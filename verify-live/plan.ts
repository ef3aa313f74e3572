/** Which checks a run makes, in which order, and what that costs. */
import { idleUsage, MONTH_HOURS } from "../cost/idle";
import { type Cost, estimate, inUsd, priced } from "../cost/model";
import { CNY_PER_USD, DEFAULT_PRICES } from "../cost/prices";
import { dollars, scenarioOf } from "../cost/summary";
import { UsageError } from "../operator/command";
import { bytesText, counted } from "../operator/text";
import { type Check, SIDES, type SideName, type Subject } from "./check";
import { familyOf } from "./recording/fixtures";

export interface PlannedCheck {
  /** The name, with `@source` or `@destination` for a check of one store. */
  id: string;
  check: Check;
  /** Undefined for a check of the whole bridge. */
  side: SideName | undefined;
  /** Why this run does not make it. */
  skip: string | undefined;
}

export interface Selection {
  only?: readonly string[] | undefined;
  except?: readonly string[] | undefined;
}

/** @throws UsageError for a name of no check */
export function planChecks(checks: readonly Check[], subject: Subject, { only, except = [] }: Selection = {}): PlannedCheck[] {
  const names = new Set(checks.map(({ name }) => name));
  const unknown = [...(only ?? []), ...except].filter((name) => !names.has(name));
  if (unknown.length > 0) throw new UsageError(`there is no check ${unknown.join(", ")}; there are: ${[...names].join(", ")}`);
  return checks.flatMap((check) => {
    const isLeftOut = (only !== undefined && !only.includes(check.name)) || except.includes(check.name);
    return placesOf(check, subject).map(({ side, unfit }) => ({
      id: side === undefined ? check.name : `${check.name}@${side}`,
      check,
      side,
      skip: isLeftOut ? "left out on the command line" : (unfit ?? refusalOf(check, subject)),
    }));
  });
}

interface CheckPlace {
  side: SideName | undefined;
  unfit: string | undefined;
}

function placesOf(check: Check, subject: Subject): CheckPlace[] {
  if (check.on === "bridge") return [{ side: undefined, unfit: check.notFor?.(subject) }];
  const sides = SIDES.filter((side) => check.on === "any store" || check.on === familyOf(subject.config[side].cloud));
  if (sides.length === 0) return [{ side: undefined, unfit: `no side of the stack is in ${check.on === "s3" ? "S3" : "OSS"}` }];
  return sides.map((side) => ({ side, unfit: check.notFor?.(subject, side) }));
}

function refusalOf({ safeOn, notLocal }: Check, { ownStack, local }: Subject): string | undefined {
  if (local && notLocal !== undefined) return notLocal;
  if (safeOn === "own-stack" && !ownStack) return "it disturbs the bridge, and the stack was there before this run";
  return undefined;
}

/** Long enough for a deployment, all checks and a destroy. */
const HOURS = 2;

/** What the objects of the checks cost, and a bridge for some hours. */
export function costOf(plan: readonly PlannedCheck[], subject: Subject): { objects: number; bytes: number; usd: number } {
  const loads = plan.filter(({ skip }) => skip === undefined).flatMap(({ check }) => check.load?.(subject) ?? []);
  const objects = loads.reduce((sum, load) => sum + load.objects, 0);
  const bytes = loads.reduce((sum, load) => sum + load.objects * load.sizeBytes, 0);
  const usdOf = ({ totals }: Cost) => inUsd(totals);
  const moved = loads.map((load) => usdOf(estimate(scenarioOf(subject.config, load), DEFAULT_PRICES)));
  const month = usdOf(priced(idleUsage(subject.config), DEFAULT_PRICES));
  const idle = subject.ownStack ? (month / MONTH_HOURS) * HOURS : 0;
  return { objects, bytes, usd: moved.reduce((sum, usd) => sum + usd, idle) };
}

export interface Intent {
  stack: string;
  keep: boolean;
  /** Where the objects go, on both sides. */
  prefixes: Readonly<Record<SideName, readonly string[]>>;
}

/** What a run would do, line by line. */
export function planText(plan: readonly PlannedCheck[], subject: Subject, { stack, keep, prefixes }: Intent): string {
  const { source, destination, mode } = subject.config;
  const place = ({ cloud, region, bucket }: typeof source) => `${cloud} ${region} ${bucket}`;
  const { objects, bytes, usd } = costOf(plan, subject);
  const width = Math.max(...plan.map(({ id }) => id.length));
  const lines = plan.map(
    ({ id, check, skip }) => `  ${id.padEnd(width)}  ${skip === undefined ? check.fact : `not made: ${skip}`}`,
  );
  return [
    `Stack ${stack}: ${mode} from ${place(source)} to ${place(destination)}`,
    subject.ownStack
      ? `1. deploy the stack with pulumi up: it has no resources now`
      : "1. take the stack as it is: it is deployed already, so this run neither changes nor destroys it",
    `2. make ${counted(plan.filter(({ skip }) => skip === undefined).length, "check")}:`,
    ...lines,
    "3. delete every object that the run has written. It writes and deletes under these prefixes alone:",
    ...SIDES.map((side) => `  ${side}: ${prefixes[side].join(", ")}`),
    subject.ownStack && !keep ? "4. destroy the stack again" : "4. leave the stack as it is",
    "",
    `It sends ${counted(objects, "object")} with ${bytesText(bytes)} across. That costs about ${dollars(usd)}${subject.ownStack ? `, with ${HOURS} hours of the bridge` : ""}:`,
    `list prices, partly unverified; CNY ${CNY_PER_USD} is taken as one dollar; docs/cost.md has the arithmetic.`,
  ].join("\n");
}
