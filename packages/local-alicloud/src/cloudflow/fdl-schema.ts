/**
 * The supported part of the flow definition language, as documented. Anything else is refused.
 * https://www.alibabacloud.com/help/en/serverless-workflow/latest/process-definition-introduction
 */
import * as z from "zod";
import type { Json, JsonObject } from "./json";
import { MAX_RETRY_INTERVAL_SECONDS, MAX_WAIT_SECONDS } from "./limits";

const template = z.record(z.string(), z.json()) as unknown as z.ZodType<JsonObject>;
const name = z.string().min(1).max(128);
const seconds = z.number().int().min(1).max(MAX_RETRY_INTERVAL_SECONDS);

const described = { Name: name, Description: z.string().optional() };
const constructors = { InputConstructor: template.optional(), OutputConstructor: template.optional() };
const onwards = { Next: name.optional(), End: z.boolean().optional() };
/** Succeed and Fail may have `End: true`. */
const last = { End: z.literal(true).optional() };

/** https://www.alibabacloud.com/help/en/serverless-workflow/latest/error-handling */
const errors = z.array(z.string().min(1)).min(1);

const retryRule = z.strictObject({
  Errors: errors,
  Description: z.string().min(1),
  MaxAttempts: z.number().int().min(1),
  IntervalSeconds: seconds,
  BackoffRate: z.number().min(1).optional(),
  MaxBackoffSeconds: seconds.optional(),
});

const catchRule = z.strictObject({
  Errors: errors,
  Description: z.string().min(1),
  /** Optional for the vendor, whose documentation does not say what the next state gets without it. */
  OutputConstructor: template,
  Next: name,
});

/** https://www.alibabacloud.com/help/en/serverless-workflow/latest/integrated-function-compute */
const task = z.strictObject({
  Type: z.literal("Task"),
  ...described,
  ...constructors,
  ...onwards,
  Action: z.literal("FC:InvokeFunction", { error: "only FC:InvokeFunction is served by the local cloud" }),
  TaskMode: z.literal("RequestComplete", { error: "only RequestComplete is served by the local cloud" }).optional(),
  Parameters: z.strictObject({
    resourceArn: z.string().min(1),
    invocationType: z.enum(["Sync", "Async"]),
    body: (z.json() as unknown as z.ZodType<Json>).optional(),
    "body.$": z.string().optional(),
  }),
  Retry: z.array(retryRule).optional(),
  Catch: z.array(catchRule).optional(),
});

const pass = z.strictObject({ Type: z.literal("Pass"), ...described, ...constructors, ...onwards });

const wait = z.strictObject({
  Type: z.literal("Wait"),
  ...described,
  ...constructors,
  ...onwards,
  Seconds: z.number().int().min(1).max(MAX_WAIT_SECONDS).optional(),
  "Seconds.$": z.string().optional(),
});

const choice = z.strictObject({
  Type: z.literal("Choice"),
  ...described,
  InputConstructor: template.optional(),
  Branches: z.array(z.strictObject({ Condition: z.string().min(1), Next: name })).min(1),
  Default: name,
});

const succeed = z.strictObject({ Type: z.literal("Succeed"), ...described, ...constructors, ...last });

const fail = z.strictObject({
  Type: z.literal("Fail"),
  ...described,
  ...constructors,
  ...last,
  Code: z.string().min(1).max(128).optional(),
  Detail: z.string().min(1),
});

export const stateSchema = z.discriminatedUnion("Type", [task, pass, wait, choice, succeed, fail], {
  error: ({ input }) => {
    const type = (input as { Type?: unknown } | null)?.Type;
    const known = type === "Parallel" || type === "Map" ? "is not served by the local cloud" : "is not a type of state";
    return `Type: ${JSON.stringify(type)} ${known}`;
  },
});
export type StateSource = z.infer<typeof stateSchema>;
export type TaskSource = z.infer<typeof task>;
export type RetryRule = z.infer<typeof retryRule>;

export const definitionSchema = z.strictObject({
  Type: z.literal("StateMachine"),
  Name: name,
  SpecVersion: z.literal("v1"),
  Description: z.string().optional(),
  StartAt: name,
  States: z.array(stateSchema).min(1),
});
