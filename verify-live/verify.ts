/** One run: takes or deploys the stack, makes the checks, removes what it wrote, and reports. */
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CANNOT_LOOK, FAILED, FINE, UsageError } from "../operator/command";
import type { Interrupt } from "../operator/interrupt";
import { operate } from "../operator/open-bridge";
import type { OperatedBridge, OperatedOutputs, StackToOperate } from "../operator/operated-bridge";
import { assertBuckets } from "../operator/sides";
import { configOf, outputsOf } from "../operator/stack-settings";
import { counted, quoted } from "../operator/text";
import { type Check, type CheckContext, type Config, type LiveSide, SIDES, type SideName, type Subject } from "./check";
import { destroyIsComplete, firstDeployment } from "./checks/bridge";
import type { ChangeSummary, Deployment } from "./deployment";
import { type CheckResult, Journal, type JournalState } from "./journal";
import { liveSide } from "./live-side";
import { type OwnKeys, ownKeys, ownPrefixes } from "./own-keys";
import { deleteUnder } from "./own-objects";
import { type PlannedCheck, planChecks, planText } from "./plan";
import { reportText, totalsText } from "./report";
import { makeChecks } from "./runner";

export interface VerifyOptions {
  stack: string;
  local?: true | undefined;
  keep?: true | undefined;
  dryRun?: true | undefined;
  resume?: true | undefined;
  only?: string[] | undefined;
  except?: string[] | undefined;
  out?: string | undefined;
  /** Bytes of the object of `pair-large`. */
  large?: number | undefined;
}

export interface VerifyDeps {
  checks: readonly Check[];
  deployment(stack: string): Deployment;
  /** Reads a stack of `npm start`. */
  localSession(stack: string): Promise<StackToOperate>;
  access(config: Config, outputs: OperatedOutputs): StackToOperate["access"] | Promise<StackToOperate["access"]>;
  /** Whether `deployment` deploys to local clouds. */
  local: boolean;
  interrupt: Interrupt;
  now(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  print(text: string): void;
  note(text: string): void;
}

/** Stands for the id of a run that does not begin. */
const NO_RUN = "id-of-the-run";

/** @returns the exit code */
export async function verifyLive(options: VerifyOptions, deps: VerifyDeps): Promise<number> {
  const { stack, keep, only, except, large: largeBytes } = options;
  const { signal } = deps.interrupt;
  const local = options.local === true || deps.local;
  const session = options.local ? await deps.localSession(stack) : undefined;
  const deployment = session === undefined ? deps.deployment(stack) : undefined;
  const config = session?.config ?? configOf(stack, (await deployment?.settings(signal)) ?? {});
  const found = (await deployment?.state(signal)) ?? "deployed";
  const subjectOf = (ownStack: boolean): Subject => ({ config, local, ownStack, largeBytes });
  if (options.dryRun) {
    const subject = subjectOf(found === "none");
    const plan = planChecks(deps.checks, subject, { only, except });
    deps.print(planText(plan, subject, { stack, keep: keep === true, prefixes: prefixesOf(config, ownKeys(config, NO_RUN)) }));
    return FINE;
  }
  const folder = options.out ?? `./verify-live-${stack.replace(/[^\w.-]+/g, "-")}`;
  // Wrong names are refused before anything is written.
  planChecks(deps.checks, subjectOf(false), { only, except });
  const { journal, state } = await Journal.open(folder, {
    stack,
    resume: options.resume === true,
    newRun: () => ({ run: runId(deps.now()), startedAt: new Date(deps.now()).toISOString() }),
  });
  if (found === "partial" && !state.ownStack)
    throw new UsageError(
      `the stack ${stack} has resources and exports no bridge: finish it with pulumi up --stack ${quoted(stack)}, or remove it with pulumi destroy --stack ${quoted(stack)}`,
    );
  const subject = subjectOf(found === "none" || state.ownStack);
  const plan = planChecks(deps.checks, subject, { only, except });
  const run = new Run(deps, {
    options,
    subject,
    plan,
    folder,
    journal,
    state,
    session,
    deployment,
    isDeployed: found === "deployed",
  });
  return run.execute();
}

/** `20261121101530-1f2e3d`: readable for a person who finds an object of the run. */
function runId(nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replace(/\D/g, "");
  return `${stamp}-${randomBytes(3).toString("hex")}`;
}

const prefixesOf = (config: Config, keys: OwnKeys): Record<SideName, string[]> => ({
  source: ownPrefixes(keys, "source", ""),
  destination: ownPrefixes(keys, "destination", config.destination.prefix),
});

interface RunFacts {
  options: VerifyOptions;
  subject: Subject;
  plan: readonly PlannedCheck[];
  folder: string;
  journal: Journal;
  state: JournalState;
  session: StackToOperate | undefined;
  deployment: Deployment | undefined;
  isDeployed: boolean;
}

const CLEAN_MS = 30 * 60_000;
const DESTROY_MS = 60 * 60_000;
/** The bridge may still carry a delete, which adds a delete marker. So the prefixes must be found empty twice in a row. */
const EMPTY_ROUNDS = 2;
const MAX_ROUNDS = 30;
const ROUND_MS = { local: 1_000, cloud: 10_000 };

class Run {
  private readonly keys: OwnKeys;
  private results: CheckResult[] = [];
  /** What could not be removed. */
  private readonly left: string[] = [];
  private fate = "there before this run, and was left as it was";
  private changes: ChangeSummary | undefined;
  private opened: { bridge: OperatedBridge; sides: Record<SideName, LiveSide> } | undefined;

  constructor(
    private readonly deps: VerifyDeps,
    private readonly facts: RunFacts,
  ) {
    this.keys = ownKeys(facts.subject.config, facts.state.run);
    this.changes = facts.state.changes;
  }

  async execute(): Promise<number> {
    const { deps, facts } = this;
    let failure: { cause: unknown } | undefined;
    try {
      if (await this.deploy()) await this.check();
    } catch (cause) {
      failure = { cause };
    }
    // From here on Ctrl-C ends nothing; a second one ends the process.
    await this.clean();
    await this.close();
    await this.destroy();
    await this.report();
    const interrupted = deps.interrupt.exitCode();
    if (interrupted !== undefined) {
      deps.note(`interrupted; go on with --resume --out ${facts.folder}`);
      return interrupted;
    }
    if (failure !== undefined) {
      deps.note(failure.cause instanceof Error ? failure.cause.message : String(failure.cause));
      return CANNOT_LOOK;
    }
    return this.left.length > 0 || this.results.some(({ result }) => result === "failed") ? FAILED : FINE;
  }

  /** @returns whether there is a bridge to check */
  private async deploy(): Promise<boolean> {
    const { deps, facts } = this;
    const { deployment, subject, journal, options } = facts;
    if (deployment === undefined || !subject.ownStack || (facts.isDeployed && this.changes !== undefined)) return true;
    deps.note(`pulumi up --stack ${quoted(options.stack)}`);
    await journal.write({ type: "deploying" });
    const startedMs = deps.now();
    try {
      this.changes = await deployment.up((line) => deps.note(`  ${line}`), deps.interrupt.signal);
    } catch (error) {
      deps.interrupt.signal.throwIfAborted();
      const evidence = (error instanceof Error ? error.message : String(error)).split("\n");
      await this.keep(this.outcomeOf(firstDeployment, "failed", evidence, startedMs));
      return false;
    }
    await journal.write({ type: "deployed", changes: { ...this.changes } });
    return true;
  }

  private async check(): Promise<void> {
    const { deps, facts } = this;
    const { subject, plan, options, state } = facts;
    const { bridge, sides } = await this.open();
    await assertBuckets(bridge, deps.interrupt.signal);
    const context: Omit<CheckContext, "signal"> = {
      ...subject,
      stack: options.stack,
      bridge,
      sides,
      keys: this.keys,
      deployed: this.changes,
      deployment: facts.deployment,
      startedMs: Date.parse(state.startedAt),
      keepFixture: (name, content) => this.write(join("fixtures", name), content),
      note: (text) => deps.note(`         ${text}`),
    };
    const now = plan.filter(({ check, skip }) => check.name !== destroyIsComplete.name || skip !== undefined);
    let begun = 0;
    const made = await makeChecks(now, {
      context,
      earlier: state.results,
      signal: deps.interrupt.signal,
      now: deps.now,
      onStart: ({ id }) =>
        deps.note(`${String(++begun).padStart(3)}/${now.filter(({ skip }) => skip === undefined).length}  ${id}`),
      onResult: async (result) => {
        await facts.journal.write(result);
        if (result.result !== "skipped") deps.note(`         ${result.result} after ${(result.ms / 1000).toFixed(1)} s`);
      },
    });
    this.results.push(...made);
  }

  private async open() {
    const { deps, facts } = this;
    const { session, deployment, subject, options } = facts;
    const { signal } = deps.interrupt;
    const found = session ?? (await this.readDeployed(deployment as Deployment, options.stack, subject.config, signal));
    const bridge = operate(found);
    const side = (name: SideName) => liveSide(bridge, name, found.access[name]);
    this.opened = { bridge, sides: { source: side("source"), destination: side("destination") } };
    return this.opened;
  }

  private async readDeployed(
    deployment: Deployment,
    stack: string,
    config: Config,
    signal: AbortSignal,
  ): Promise<StackToOperate> {
    const outputs = outputsOf(stack, await deployment.outputs(signal));
    return { stack, config, outputs, access: await this.deps.access(config, outputs) };
  }

  /** Deletes the objects of the run, and of nobody else. */
  private async clean(): Promise<void> {
    const { deps, facts, opened } = this;
    if (opened === undefined) return;
    const { config, local } = facts.subject;
    const prefixes = prefixesOf(config, this.keys);
    const signal = AbortSignal.timeout(CLEAN_MS);
    deps.note("deleting the objects of this run");
    let deleted = 0;
    try {
      for (let round = 0, empty = 0; round < MAX_ROUNDS && empty < EMPTY_ROUNDS; round++) {
        if (round > 0) await deps.sleep(local ? ROUND_MS.local : ROUND_MS.cloud, signal);
        let found = 0;
        for (const side of SIDES)
          for (const prefix of prefixes[side]) found += await deleteUnder(opened.sides[side], prefix, signal);
        empty = found === 0 ? empty + 1 : 0;
        deleted += found;
      }
      await facts.journal.write({ type: "cleaned", deleted });
      deps.note(`deleted ${counted(deleted, "version")}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.left.push(
        `objects under ${SIDES.flatMap((side) => prefixes[side].map((prefix) => `${side} ${prefix}`)).join(", ")}: ${why}`,
      );
    }
  }

  private async close(): Promise<void> {
    const { opened } = this;
    if (opened === undefined) return;
    await Promise.all([opened.bridge.close(), ...SIDES.map((side) => opened.sides[side].dispatcher.destroy())]);
  }

  private async destroy(): Promise<void> {
    const { deps, facts } = this;
    const { deployment, subject, options, journal } = facts;
    if (deployment === undefined || !subject.ownStack) return;
    if (options.keep) {
      // Somebody may use the stack now, so a resumed run must not destroy it. What is half deployed can be used by nobody.
      if (this.changes !== undefined) await journal.write({ type: "kept" });
      this.fate = "deployed by this run, and kept";
      await this.keep(this.outcomeOf(destroyIsComplete, "skipped", ["the stack was kept: --keep"], deps.now()));
      return;
    }
    deps.note(`pulumi destroy --stack ${quoted(options.stack)}`);
    const startedMs = deps.now();
    const signal = AbortSignal.timeout(DESTROY_MS);
    try {
      const changes = await deployment.destroy((line) => deps.note(`  ${line}`), signal);
      const rest = await deployment.state(signal);
      if (rest !== "none") throw new Error("resources are left in the stack");
      await journal.write({ type: "destroyed" });
      this.fate = "deployed by this run, and destroyed";
      await this.keep(
        this.outcomeOf(destroyIsComplete, "passed", [`${counted(changes.delete ?? 0, "resource")} deleted`], startedMs),
      );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.fate = "deployed by this run, and could not be destroyed";
      this.left.push(`the stack ${options.stack} (${why}); remove it with pulumi destroy --stack ${quoted(options.stack)}`);
      await this.keep(this.outcomeOf(destroyIsComplete, "failed", why.split("\n"), startedMs));
    }
  }

  private outcomeOf(check: Check, result: CheckResult["result"], evidence: string[], startedMs: number): CheckResult {
    const { name } = check;
    const startedAt = new Date(startedMs).toISOString();
    return { type: "result", id: name, name, result, evidence, startedAt, ms: this.deps.now() - startedMs };
  }

  private async keep(result: CheckResult): Promise<void> {
    this.results.push(result);
    await this.facts.journal.write(result);
  }

  private async report(): Promise<void> {
    const { deps, facts, results } = this;
    const { subject, state, options, folder } = facts;
    const text = reportText(results, deps.checks, {
      stack: options.stack,
      run: state.run,
      config: subject.config,
      local: subject.local,
      startedAt: state.startedAt,
      endedAt: new Date(deps.now()).toISOString(),
      fate: this.fate,
      left: this.left,
      interrupted: deps.interrupt.exitCode() !== undefined,
    });
    await this.write("report.md", text);
    for (const { id, evidence } of results.filter(({ result }) => result === "failed"))
      deps.print(`does not hold: ${id}\n  ${evidence.join("\n  ")}`);
    for (const line of this.left) deps.print(`not removed: ${line}`);
    deps.print(totalsText(results));
    deps.note(`report, journal and recordings are in ${folder}`);
  }

  private async write(name: string, content: string): Promise<void> {
    const path = join(this.facts.folder, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, content);
  }
}
