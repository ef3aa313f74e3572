/** Inputs of the control API. https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/developer-reference/api-fc-2023-03-30-struct-createfunctioninput */
import * as z from "zod";
import type { AsyncInvokeConfig, FunctionSpec, TriggerSpec } from "../contracts";
import { crc64Of } from "../crc64";
import { invalidArgument } from "./names";

/** @throws ApiError `InvalidArgument` that names every invalid field */
export function parseBody<T extends z.ZodType>(schema: T, body: Buffer): z.infer<T> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8") || "{}");
  } catch {
    throw invalidArgument("the request is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the request"}: ${message}`);
  throw invalidArgument(problems.join("; "));
}

/** Nothing in it, at any depth: the providers send empty objects for blocks that are not set. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  return typeof value === "object" && Object.values(value).every(isEmpty);
}

const notServed = z
  .unknown()
  .refine(isEmpty, "is not served here")
  .transform(() => undefined)
  .optional();
const unlessEmpty = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (isEmpty(value) ? undefined : value), schema.optional()).optional();

/** The vendor's own documents and SDKs write a tag in these three ways. */
const tag = z.union([
  z.object({ Key: z.string().min(1), Value: z.string().default("") }).transform(({ Key, Value }) => [Key, Value] as const),
  z.object({ key: z.string().min(1), value: z.string().default("") }).transform(({ key, value }) => [key, value] as const),
  z
    .object({ tagKey: z.string().min(1), tagValue: z.string().default("") })
    .transform((one) => [one.tagKey, one.tagValue] as const),
]);

const code = z.object({
  zipFile: z.base64().optional(),
  /** CRC-64 of the zip, decimal. */
  checksum: z.string().optional(),
  ossBucketName: notServed,
  ossObjectName: notServed,
});

const settings = z.object({
  runtime: z.string(),
  handler: z.string(),
  role: unlessEmpty(z.string()),
  code: unlessEmpty(code),
  cpu: z.number().optional(),
  memorySize: z.number().optional(),
  diskSize: z.number().optional(),
  timeout: z.number().optional(),
  environmentVariables: z.record(z.string(), z.string()).optional(),
  internetAccess: z.boolean().optional(),
  instanceConcurrency: z.number().optional(),
  description: z.string().optional(),
  customRuntimeConfig: unlessEmpty(
    z.object({
      command: z.array(z.string()),
      args: z.array(z.string()).default([]),
      port: z.number(),
      healthCheckConfig: notServed,
    }),
  ),
  logConfig: unlessEmpty(
    z.object({
      project: z.string(),
      logstore: z.string(),
      enableInstanceMetrics: z.boolean().optional(),
      enableRequestMetrics: z.boolean().optional(),
      logBeginRule: z.enum(["None", "DefaultRegex"]).optional(),
    }),
  ),
  ...{ gpuConfig: notServed, customContainerConfig: notServed, instanceLifecycleConfig: notServed, nasConfig: notServed },
  ...{ ossMountConfig: notServed, vpcConfig: notServed, customDNS: notServed, layers: notServed, tracingConfig: notServed },
});

const createInput = settings.extend({
  functionName: z.string(),
  tags: z.array(tag).optional(),
  /** The Terraform provider writes it so. */
  Tags: z.array(tag).optional(),
});
const updateInput = settings.partial();

/** The defaults of the vendor's documentation, where it has one. */
const DEFAULTS = {
  ...{ cpu: 0.25, memorySize: 512, diskSize: 512, timeout: 60, internetAccess: true, instanceConcurrency: 1 },
  ...{ environmentVariables: {}, description: "" },
};

/** @throws ApiError `InvalidArgument` */
export function functionSpec(body: Buffer): { spec: FunctionSpec; tags: readonly (readonly [string, string])[] } {
  const { tags, Tags, functionName, ...given } = parseBody(createInput, body);
  const zip = zipOf(given.code);
  if (zip === undefined) throw invalidArgument("code.zipFile is required");
  return { spec: { ...DEFAULTS, functionName, ...settled(given), code: zip } as FunctionSpec, tags: tags ?? Tags ?? [] };
}

/** Only what the request gives. @throws ApiError `InvalidArgument` */
export function functionChanges(body: Buffer): Partial<FunctionSpec> {
  const given = parseBody(updateInput, body);
  const zip = zipOf(given.code);
  return { ...settled(given), ...(zip === undefined ? {} : { code: zip }) } as Partial<FunctionSpec>;
}

function zipOf(given: z.infer<typeof code> | undefined): Buffer | undefined {
  if (given?.zipFile === undefined) return undefined;
  const zip = Buffer.from(given.zipFile, "base64");
  if (given.checksum !== undefined && given.checksum !== "" && given.checksum !== crc64Of(zip))
    throw invalidArgument(`code.checksum is ${given.checksum}, but that of code.zipFile is ${crc64Of(zip)}`);
  return zip;
}

/** Without the code and without what is not given. */
const settled = ({ code: _, ...given }: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

const triggerInput = z.object({
  triggerName: z.string(),
  triggerType: z.enum(["oss", "http", "timer"], { error: "must be oss, http or timer: no other type is served here" }),
  triggerConfig: z.string(),
  qualifier: z.string().default("LATEST"),
  sourceArn: unlessEmpty(z.string()),
  invocationRole: unlessEmpty(z.string()),
  description: z.string().optional(),
});

export const triggerSpec = (body: Buffer): TriggerSpec => settled(parseBody(triggerInput, body)) as unknown as TriggerSpec;

export const triggerChanges = (body: Buffer): Partial<TriggerSpec> =>
  settled(
    parseBody(triggerInput.pick({ triggerConfig: true, invocationRole: true, description: true }).partial(), body),
  ) as Partial<TriggerSpec>;

export const concurrencyInput = z.object({ reservedConcurrency: z.number() });

const destination = unlessEmpty(z.object({ destination: z.string() }));
const asyncInput = z.object({
  maxAsyncRetryAttempts: z.number().optional(),
  maxAsyncEventAgeInSeconds: z.number().optional(),
  destinationConfig: z.object({ onFailure: destination, onSuccess: destination }).optional(),
  asyncTask: z.literal(false, { error: "must be false: asynchronous tasks are not served here" }).optional(),
});

export function asyncConfigOf(body: Buffer): AsyncInvokeConfig {
  const { destinationConfig, asyncTask: _, ...numbers } = parseBody(asyncInput, body);
  const { onFailure, onSuccess } = destinationConfig ?? {};
  return settled({ ...numbers, onFailure: onFailure?.destination, onSuccess: onSuccess?.destination }) as AsyncInvokeConfig;
}

export const tagsInput = z.object({
  ResourceId: z.array(z.string()),
  ResourceType: z.string(),
  Tag: z.array(z.object({ Key: z.string().min(1), Value: z.string().default("") })),
});
