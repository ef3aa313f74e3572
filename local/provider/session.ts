import { createHash } from "node:crypto";
import type { Package, ResourceType } from "./resource-type";
import { type Failure, findFailures, normalise, type Schema } from "./schema";
import { compact, hasUnknown, isObject, type Properties, sameValue, UNKNOWN } from "./values";

export interface Checked {
  inputs: Properties;
  failures: Failure[];
}

export interface Diff {
  changed: string[];
  replaces: string[];
  deleteBeforeReplace: boolean;
}

export interface CheckRequest {
  /** Name of the resource in the program. */
  name: string;
  inputs: Properties;
  /** Inputs of the last deployment. */
  olds: Properties;
  /** Stays the same for one resource of one deployment. */
  seed: Uint8Array;
  /** Physical name from the user's autonaming configuration. */
  proposedName?: string | undefined;
}

/** The new and old inputs, and the last outputs. */
export interface Change {
  news: Properties;
  olds: Properties;
  outputs: Properties;
}

/** One configured provider. It answers the requests of the engine without gRPC. */
export class Session<C> {
  constructor(
    private readonly pack: Package<C>,
    private readonly context: C,
  ) {}

  typeOf(token: string): ResourceType<C> {
    const type = this.pack.resources.find((candidate) => candidate.token === token);
    if (type === undefined) {
      const known = this.pack.resources.map((candidate) => candidate.token).sort();
      throw new Error(`the local cloud has no resource type ${token}; it has ${known.join(", ")}`);
    }
    return type;
  }

  check(token: string, { name, inputs: given, olds, seed, proposedName }: CheckRequest): Checked {
    const type = this.typeOf(token);
    const schema = { ...this.pack.commonInputs, ...type.inputs };
    let inputs = compact(given);
    if (type.autoname !== undefined && inputs[type.autoname.property] === undefined) {
      const { property, maxLength } = type.autoname;
      inputs = { ...inputs, [property]: olds[property] ?? (proposedName || autoname(name, seed, maxLength)) };
    }
    const failures = findFailures(schema, inputs);
    if (failures.length > 0) return { inputs, failures };
    inputs = normalise(schema, inputs);
    failures.push(...this.pack.check(type, inputs, this.context));
    if (type.check !== undefined && !hasUnknown(inputs)) failures.push(...type.check(inputs, this.context));
    return { inputs: { ...inputs, ...this.pack.derive(type, inputs, this.context) }, failures };
  }

  async diff(token: string, id: string, { news, olds, outputs }: Change): Promise<Diff> {
    const type = this.typeOf(token);
    const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
    const stays = (name: string) => type.ignored?.includes(name) || (type.kept?.includes(name) && news[name] === undefined);
    const changed = names.filter((name) => !stays(name) && !sameValue(olds[name], news[name]));
    const replaces = changed.filter((name) => type.update === undefined || type.replaceOn?.includes(name));
    if (changed.length === 0 && type.verifyUnchanged !== undefined && !this.pack.isPreviewOnly(this.context)) {
      await type.verifyUnchanged(this.context, this.toCloud(id), this.toCloud(news), outputs);
    }
    const keepsName = type.autoname !== undefined && sameValue(olds[type.autoname.property], news[type.autoname.property]);
    return { changed, replaces, deleteBeforeReplace: type.fixedIdentity === true || keepsName };
  }

  previewCreate(token: string, inputs: Properties): Properties {
    const type = this.typeOf(token);
    const computed = Object.fromEntries(type.computed.map((name) => [name, UNKNOWN]));
    return { ...type.defaults, ...computed, ...inputs };
  }

  async create(token: string, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    const type = this.typeOf(token);
    this.assertCloud(token);
    const created = await type.create(this.context, this.toCloud(inputs));
    const { id, outputs } = typeof created === "string" ? { id: created, outputs: {} } : created;
    try {
      const computed = await this.computed(type, id, inputs);
      if (computed === undefined) throw new Error(`${id} is gone right after its creation`);
      return { id: this.fromCloud(id), outputs: { ...type.defaults, ...inputs, ...computed, ...this.fromCloud(outputs) } };
    } catch (error) {
      // The engine does not get the id, so it could not delete the resource later.
      await type.delete(this.context, id, this.toCloud(inputs));
      throw error;
    }
  }

  previewUpdate(token: string, news: Properties, outputs: Properties): Properties {
    const type = this.typeOf(token);
    return { ...outputs, ...type.defaults, ...pick(outputs, type.kept), ...news, ...pick(outputs, type.ignored) };
  }

  async update(token: string, id: string, { news, olds, outputs }: Change): Promise<Properties> {
    const type = this.typeOf(token);
    this.assertCloud(token);
    if (type.update === undefined) throw new Error(`${token} cannot change in place`);
    const kept = pick(outputs, type.kept);
    const wanted = { ...kept, ...news };
    await type.update(this.context, this.toCloud(id), this.toCloud(wanted), this.toCloud({ ...kept, ...olds }));
    const computed = await this.computed(type, this.toCloud(id), news);
    if (computed === undefined) throw new Error(`${id} is gone`);
    return { ...type.defaults, ...pick(outputs, type.computed), ...wanted, ...computed, ...pick(outputs, type.ignored) };
  }

  /** Undefined when the resource does not exist. */
  async read(
    token: string,
    id: string,
    inputs: Properties,
    outputs: Properties,
  ): Promise<{ inputs: Properties; outputs: Properties } | undefined> {
    const type = this.typeOf(token);
    this.assertCloud(token);
    const computed = await this.computed(type, this.toCloud(id), inputs);
    if (computed === undefined) return undefined;
    const drifted = await type.drift?.(this.context, this.toCloud(id), this.toCloud(inputs));
    const changed = this.fromCloud(drifted ?? {});
    return { inputs: { ...inputs, ...changed }, outputs: { ...outputs, ...computed, ...changed } };
  }

  async delete(token: string, id: string, inputs: Properties): Promise<void> {
    this.assertCloud(token);
    await this.typeOf(token).delete(this.context, this.toCloud(id), this.toCloud(inputs));
  }

  async invoke(token: string, args: Properties): Promise<{ result: Properties; failures: Failure[] }> {
    const invoke = this.pack.invokes.find((candidate) => candidate.token === token);
    if (invoke === undefined) {
      const known = this.pack.invokes.map((candidate) => candidate.token).sort();
      throw new Error(`the local cloud has no data source ${token}; it has ${known.join(", ")}`);
    }
    const schema: Schema = { ...this.pack.commonInputs, ...invoke.args };
    const failures = findFailures(schema, args);
    if (failures.length > 0) return { result: {}, failures };
    const result = await invoke.call(this.context, this.toCloud(args));
    return { result: compact(this.fromCloud(result)), failures };
  }

  private async computed(type: ResourceType<C>, id: string, inputs: Properties): Promise<Properties | undefined> {
    const computed = await type.read(this.context, id, this.toCloud(inputs));
    return computed === undefined ? undefined : compact(this.fromCloud(computed));
  }

  private toCloud<T>(value: T): T {
    return this.pack.toCloud(value, this.context);
  }

  private fromCloud<T>(value: T): T {
    return this.pack.fromCloud(value, this.context);
  }

  private assertCloud(token: string): void {
    if (this.pack.isPreviewOnly(this.context)) {
      throw new Error(`${token}: this provider only serves previews; start the local cloud to deploy`);
    }
  }
}

/** The values that exist. */
function pick(values: Properties, names: readonly string[] = []): Properties {
  return compact(Object.fromEntries(names.map((name) => [name, values[name]])));
}

/** Returns the same name for one resource of one deployment, because the seed is the same. */
function autoname(name: string, seed: Uint8Array, maxLength: number): string {
  const suffix = createHash("sha256").update(seed).digest("hex").slice(0, 7);
  return `${name.slice(0, maxLength - suffix.length - 1)}-${suffix}`;
}

/** The configuration of a provider arrives as strings; nested values are JSON. */
export function parseConfig(schema: Schema, given: Properties): { config: Properties; failures: Failure[] } {
  const config = Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const shape = schema[name];
      const nested = shape !== undefined && shape !== "string" && typeof value === "string" && value !== "";
      return [name, nested ? JSON.parse(value) : value];
    }),
  );
  delete config.version;
  return { config, failures: isObject(config) ? findFailures(schema, config) : [] };
}
