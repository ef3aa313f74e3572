/**
 * Runs a Pulumi program with mocks and returns all resources that it registered, with parents, dependencies, protection and outputs, as the
 * engine gets them. Resolves after every registration has been answered.
 */
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { setMockOptions } from "@pulumi/pulumi/runtime/settings";
import { answerInvoke, deploy, STASH } from "./mock-clouds";

export interface RecordedResource {
  type: string;
  name: string;
  urn: string;
  inputs: Record<string, unknown>;
  /** Logical name of the parent; absent for a resource of the stack itself. */
  parent?: string;
  /** Logical name of an explicit provider. */
  provider?: string;
  /** Logical names of the dependencies. */
  dependsOn: string[];
  aliases: number;
  protect: boolean;
  retainOnDelete: boolean;
  deleteBeforeReplace: boolean;
  ignoreChanges: string[];
  replaceOnChanges: string[];
  outputsRegistered: boolean;
}

export interface Recording {
  resources: RecordedResource[];
  /** The only resource with this logical name. Give the type if a component and its child share the name. */
  get(name: string, type?: string): RecordedResource;
  /** `type name` of all resources, sorted. */
  list(): string[];
}

interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProvider(): string;
  getDependenciesList(): string[];
  getAliasesList(): unknown[];
  getAliasurnsList(): string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getIgnorechangesList(): string[];
  getReplaceonchangesList(): string[];
}

const TURNS = 20;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Rejects with the first rejection that nothing handles. `end` first waits for those that follow from it. */
export function firstRejection(): { failed: Promise<never>; end: () => Promise<void> } {
  let reject: (reason: unknown) => void = () => {};
  const failed = new Promise<never>((_, rejected) => {
    reject = rejected;
  });
  failed.catch(() => undefined);
  const unwatch = watchRejections(reject);
  const end = async () => {
    // Node.js reports a rejection at the end of its turn, and each value that depends on a failed one rejects a turn later.
    for (let turn = 0; turn < TURNS; turn++) await nextTurn();
    unwatch();
  };
  return { failed, end };
}

/** See `environment.js`. */
declare const watchRejections: (onRejection: (reason: unknown) => void) => () => void;

const nameOf = (urn: string): string => urn.split("::")[3] ?? "";

export interface RecordOptions {
  stack?: string;
  /** The value that every stash keeps from an earlier deployment. */
  kept?: unknown;
  /** @default mocks that give each resource the outputs that its cloud would */
  mocks?: pulumi.runtime.Mocks;
}

/** Rejects with the program's error. An error inside an `apply` counts as well. */
export async function recordResources(program: () => unknown, options: RecordOptions = {}): Promise<Recording> {
  const resources: RecordedResource[] = [];
  const inputs = new Map<string, Record<string, unknown>>();
  const { mocks = { newResource: deploy, call: answerInvoke } } = options;
  const monitor = new MockMonitor({
    newResource: async (args) => {
      inputs.set(`${args.type} ${args.name}`, args.inputs as Record<string, unknown>);
      const { id, state } = await mocks.newResource(args);
      return { id, state: args.type === STASH && "kept" in options ? { ...state, output: options.kept } : state };
    },
    call: mocks.call,
  });
  const register = monitor.registerResource.bind(monitor);
  const registerOutputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResource = async (request: RegisterRequest, callback: (error: unknown, response: unknown) => void) => {
    await register(request, (error: unknown, response: { getUrn(): string } | undefined) => {
      if (response !== undefined) {
        const [type, name] = [request.getType(), request.getName()];
        resources.push({
          type,
          name,
          urn: response.getUrn(),
          inputs: inputs.get(`${type} ${name}`) ?? {},
          ...(request.getParent() === "" ? {} : { parent: nameOf(request.getParent()) }),
          ...(request.getProvider() === "" ? {} : { provider: nameOf(request.getProvider()) }),
          dependsOn: request.getDependenciesList().map(nameOf).sort(),
          // The mocked engine takes aliases as URNs.
          aliases: request.getAliasesList().length + request.getAliasurnsList().length,
          protect: request.getProtect(),
          retainOnDelete: request.getRetainondelete(),
          deleteBeforeReplace: request.getDeletebeforereplace(),
          ignoreChanges: request.getIgnorechangesList(),
          replaceOnChanges: request.getReplaceonchangesList(),
          outputsRegistered: false,
        });
      }
      callback(error, response);
    });
  };
  monitor.registerResourceOutputs = (request: { getUrn(): string }, callback: (error: unknown, response: unknown) => void) => {
    const resource = resources.find(({ urn }) => urn === request.getUrn());
    if (resource !== undefined) resource.outputsRegistered = true;
    registerOutputs(request, callback);
  };
  await pulumi.runtime.setMocks(mocks, "crossborderbridge", options.stack ?? "test");
  setMockOptions(monitor, "crossborderbridge", options.stack ?? "test");

  // What depends on a failed value is never registered, so the end of all registrations may never come.
  const { failed, end } = firstRejection();
  try {
    await program();
    await Promise.race([pulumi.runtime.disconnect(), failed]);
  } finally {
    await end();
  }
  await Promise.race([failed, nextTurn()]);

  return {
    resources,
    get(name, type) {
      const found = resources.filter((resource) => resource.name === name && (type === undefined || resource.type === type));
      const [only, ...others] = found;
      if (only === undefined || others.length > 0) {
        throw new Error(`${found.length} resources are named ${name}: ${resources.map((resource) => resource.name).join(", ")}`);
      }
      return only;
    },
    list: () => resources.map(({ type, name }) => `${type} ${name}`).sort(),
  };
}

/** The value of an output, once it is known. */
export function settled<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply((value) => resolve(value));
  });
}
