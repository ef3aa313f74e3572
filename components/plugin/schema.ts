/**
 * The schema of the plugin, from which Pulumi generates the component's package in every language. It repeats the schemas of the
 * configuration and of the outputs. https://www.pulumi.com/docs/iac/packages-and-automation/pulumi-packages/schema/
 */
import { z } from "zod";
import { LATE_SETTINGS } from "../config/late";
import { outputsSchema } from "../config/outputs";
import { bridgeSchema } from "../config/schema";

export const PACKAGE = "crossborder";
export const BRIDGE_TOKEN = `${PACKAGE}:index:CrossBorderBridge`;

/** A setting as `z.toJSONSchema` describes it, together with the `meta` of its schema. */
interface Setting {
  type: "string" | "integer" | "number" | "boolean" | "array" | "object";
  description?: string;
  default?: unknown;
  fallback?: string;
  allowed?: string;
  title?: string;
  typeName?: string;
  when?: string;
  items?: Setting;
  properties?: Record<string, Setting>;
  additionalProperties?: Setting | false;
  required?: string[];
}

interface Property {
  type?: string;
  $ref?: string;
  description?: string;
  plain?: boolean;
  secret?: boolean;
  items?: Property;
  additionalProperties?: Property;
}

interface ObjectType {
  type: "object";
  description?: string;
  properties: Record<string, Property>;
  required: string[];
}

const ANY = { $ref: "pulumi.json#/Any" };

const PROVIDER: Property = {
  ...ANY,
  description:
    "The provider that deploys everything on this side: a provider resource of aws or of alicloud. Default: one for the side's `region`, `profile` and `accountId`.",
};

const PLACE_NAME: Property = {
  type: "string",
  plain: true,
  description:
    "Logical name of the resource that keeps the bridge's name, its regions and its accounts, so that a preview refuses to move a deployed bridge. Default: `<logical name of the bridge>-place`.",
};

/** The state holds them encrypted. */
const SECRETS: ReadonlySet<string> = new Set(["token", "alarmWebhookUrl", "alarmWebhookSecret"]);

/** The settings of a side that only a provider needs are read for it as well. */
const hasProvider = (path: string): boolean => path === "source" || path === "destination";

const joined = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);
const hasLate = (path: string): boolean => LATE_SETTINGS.some((one) => one === path || one.startsWith(`${path}.`));

function described({ description = "", default: value, fallback, allowed, when, properties }: Setting, section: boolean): string {
  const before = section || properties !== undefined;
  const initial = value === undefined ? fallback : JSON.stringify(value);
  return [
    description,
    ...(when === undefined ? [] : [`Present ${when}.`]),
    ...(before || allowed === undefined ? [] : [`Allowed: ${allowed}.`]),
    ...(before || initial === undefined ? [] : [`Default: ${initial}.`]),
  ].join(" ");
}

/** Collects the object types while it walks. */
class Types {
  readonly found: Record<string, ObjectType> = {};

  constructor(private readonly use: "input" | "output") {}

  /** The type of a setting, without its description. */
  private shape(path: string, setting: Setting): Property {
    if (setting.properties !== undefined) return { $ref: `#/types/${this.add(path, setting)}` };
    if (setting.items !== undefined) return { type: "array", items: this.element(path, this.shape(`${path}[]`, setting.items)) };
    if (setting.type === "object")
      return {
        type: "object",
        additionalProperties: this.element(path, this.shape(path, setting.additionalProperties || { type: "string" })),
      };
    return { type: setting.type };
  }

  /** A plain list has plain elements. */
  private element(path: string, shape: Property): Property {
    return this.use === "input" && !hasLate(path) ? { ...shape, plain: true } : shape;
  }

  property(path: string, setting: Setting): Property {
    return {
      ...this.shape(path, setting),
      description: described(setting, setting.properties !== undefined),
      ...(this.use === "input" && !hasLate(path) ? { plain: true } : {}),
      ...(SECRETS.has(path) ? { secret: true } : {}),
    };
  }

  properties(path: string, section: Setting): Record<string, Property> {
    const own = Object.entries(section.properties ?? {}).map(([key, one]) => [key, this.property(joined(path, key), one)]);
    return { ...Object.fromEntries(own), ...(this.use === "input" && hasProvider(path) ? { provider: PROVIDER } : {}) };
  }

  private add(path: string, section: Setting): string {
    if (section.typeName === undefined) throw new Error(`the section ${path} has no typeName`);
    // The SDKs add "Args" to the name of a type that is an input.
    const token = `${PACKAGE}:index:${section.typeName.replace(/Args$/, "")}`;
    this.found[token] ??= {
      type: "object",
      description: section.description ?? section.title ?? "",
      properties: this.properties(path, section),
      required: [...(section.required ?? [])].sort(),
    };
    return token;
  }
}

export interface PluginSchema {
  name: string;
  version: string;
  types: Record<string, ObjectType>;
  resources: Record<string, { inputProperties: Record<string, Property>; properties: Record<string, Property> }>;
}

export function pluginSchema({ version, description }: { version: string; description: string }): PluginSchema {
  const settings = z.toJSONSchema(bridgeSchema, { io: "input" }) as unknown as Setting;
  const outputs = z.toJSONSchema(outputsSchema, { io: "input" }) as unknown as Setting;
  const inputTypes = new Types("input");
  const outputTypes = new Types("output");
  const inputProperties = { ...inputTypes.properties("", settings), placeName: PLACE_NAME };
  const properties = outputTypes.properties("", outputs);
  const respected = { respectSchemaVersion: true };
  return {
    name: PACKAGE,
    version,
    ...{ displayName: "CrossBorderBridge", description, license: "Apache-2.0" },
    ...{ keywords: ["kind/component", "category/cloud", "aws", "alicloud", "replication"] },
    types: { ...inputTypes.found, ...outputTypes.found },
    resources: {
      [BRIDGE_TOKEN]: {
        ...{ isComponent: true, description: BRIDGE_TEXT },
        inputProperties,
        ...{ requiredInputs: [...(settings.required ?? [])].sort() },
        properties,
        ...{ required: [...(outputs.required ?? [])].sort() },
      },
    },
    ...{
      language: {
        csharp: respected,
        go: respected,
        java: respected,
        nodejs: respected,
        python: { ...respected, pyproject: { enabled: true } },
      },
    },
  };
}

const BRIDGE_TEXT =
  "Keeps a destination bucket in step with a source bucket, across partitions and clouds, with no storage credential crossing the border. " +
  "Names of buckets, keys and a few other values may come from other resources. Every other argument decides which resources there are, so it must be plain.";
