/** The flows of all regions and their executions. */
import { randomUUID } from "node:crypto";
import { ApiError, type CloudFlow, type FlowSpec } from "../contracts";
import type { Clock } from "./clock";
import { type Definition, parseDefinition } from "./definition";
import { Execution } from "./execution";
import type { Invoker } from "./invoke-function";
import type { JsonObject } from "./json";
import { CLOUDFLOW_REGIONS, NAME } from "./limits";

export interface FlowsOptions {
  clock: Clock;
  invoke: Invoker;
  accountId: string;
  /** Executions that may run at the same time. */
  maxRunning: number;
  /** The newest ended executions that are remembered. */
  keptExecutions: number;
  /** The newest ended executions whose history is remembered. */
  keptHistories: number;
}

export interface Flow {
  region: string;
  spec: FlowSpec;
  definition: Definition;
  id: string;
  createdTime: string;
  lastModifiedTime: string;
  executions: Map<string, Execution>;
}

export class Flows {
  private readonly flows = new Map<string, Flow>();
  private readonly running = new Set<Execution>();
  private readonly ended: { flow: Flow; execution: Execution }[] = [];
  private stopped = false;

  constructor(private readonly options: FlowsOptions) {}

  create(region: string, spec: FlowSpec): ReturnType<CloudFlow["createFlow"]> {
    if (!NAME.test(spec.name)) throw invalid(`the name of a flow fits ${NAME.source}, not "${spec.name}"`);
    if (this.flows.has(keyOf(region, spec.name)))
      throw new ApiError(409, "FlowAlreadyExists", `Flow ${spec.name} already exists.`);
    const definition = this.check(spec);
    const at = this.time();
    const flow = { region, spec, definition, id: randomUUID(), createdTime: at, lastModifiedTime: at, executions: new Map() };
    this.flows.set(keyOf(region, spec.name), flow);
    return { id: flow.id, createdTime: at, lastModifiedTime: at };
  }

  update(region: string, name: string, changes: Partial<Omit<FlowSpec, "name">>): void {
    const flow = this.get(region, name);
    const spec = { ...flow.spec, ...changes };
    flow.definition = this.check(spec);
    flow.spec = spec;
    flow.lastModifiedTime = this.time();
  }

  /** @throws ApiError */
  get(region: string, name: string): Flow {
    const flow = this.find(region, name);
    if (flow === undefined) throw new ApiError(404, "FlowNotExists", `Flow ${name} does not exist.`);
    return flow;
  }

  /** By name. */
  inRegion(region: string): Flow[] {
    checkRegion(region);
    const found = [...this.flows.values()].filter((flow) => flow.region === region);
    return found.sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  }

  find(region: string, name: string): Flow | undefined {
    checkRegion(region);
    return this.flows.get(keyOf(region, name));
  }

  /** Stops and forgets the executions of the flow. */
  async delete(region: string, name: string): Promise<void> {
    const flow = this.get(region, name);
    this.flows.delete(keyOf(region, name));
    const running = [...flow.executions.values()].filter((execution) => execution.running);
    for (const execution of running) execution.stop("FlowDeleted", `Flow ${name} was deleted.`);
    await Promise.all(running.map(({ done }) => done));
    const others = this.ended.filter((entry) => entry.flow !== flow);
    this.ended.splice(0, this.ended.length, ...others);
  }

  /**
   * Returns the running execution of this name, also when its input differs. The name of an ended execution is an error.
   * https://www.alibabacloud.com/help/en/serverless-workflow/latest/api-fnf-2019-03-15-startexecution
   */
  start(flow: Flow, name: string, input: JsonObject): Execution {
    const known = flow.executions.get(name);
    if (known?.running) return known;
    if (known !== undefined)
      throw new ApiError(400, "ExecutionAlreadyExists", `Execution ${name} for flow ${flow.spec.name} already exists.`);
    if (this.stopped || this.running.size >= this.options.maxRunning)
      throw new ApiError(429, "ResourceThrottled", "The request is throttled. Please try again later.");
    const { clock, invoke } = this.options;
    const { region, spec, definition } = flow;
    const roleArn = spec.roleArn ?? "";
    const flowName = spec.name;
    const execution = new Execution({
      region,
      flowName,
      name,
      input,
      definition,
      definitionText: spec.definition,
      roleArn,
      clock,
      invoke,
    });
    flow.executions.set(name, execution);
    this.running.add(execution);
    void execution.done.then(() => this.end(flow, execution));
    return execution;
  }

  /** Resolves when no execution runs. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all([...this.running].map(({ done }) => done));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const execution of this.running) execution.stop("ServiceStopped", "the local CloudFlow was stopped");
    await this.idle();
  }

  private end(flow: Flow, execution: Execution): void {
    this.running.delete(execution);
    if (this.flows.get(keyOf(flow.region, flow.spec.name)) !== flow) return;
    this.ended.push({ flow, execution });
    const { keptExecutions, keptHistories } = this.options;
    const silent = this.ended.at(-1 - keptHistories);
    if (silent !== undefined) silent.execution.history = undefined;
    for (const old of this.ended.splice(0, this.ended.length - keptExecutions)) old.flow.executions.delete(old.execution.name);
  }

  /** @throws ApiError */
  private check({ name, definition, type, roleArn }: FlowSpec): Definition {
    if (type !== "FDL") throw invalid(`the type of flow ${name} is FDL, not "${type}"`);
    const role = `acs:ram::${this.options.accountId}:role/`;
    if (roleArn !== undefined && !roleArn.startsWith(role))
      throw invalid(`the role of flow ${name} is ${role}<name>, not "${roleArn}"`);
    try {
      return parseDefinition(definition);
    } catch (error) {
      throw invalid(`the definition of flow ${name} is invalid: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private time(): string {
    return new Date(this.options.clock.now()).toISOString();
  }
}

const keyOf = (region: string, name: string) => `${region}/${name}`;
const invalid = (message: string) => new ApiError(400, "InvalidArgument", message);

function checkRegion(region: string): void {
  if (!CLOUDFLOW_REGIONS.includes(region))
    throw new ApiError(404, "InvalidRegionId.NotFound", `CloudFlow is in ${CLOUDFLOW_REGIONS.join(", ")}, not in ${region}`);
}
