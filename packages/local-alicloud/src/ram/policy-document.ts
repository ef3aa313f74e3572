/** https://www.alibabacloud.com/help/en/ram/policy-structure-and-syntax */
import * as z from "zod";
import { ApiError } from "../contracts";
import { isOperator, isValueFor } from "./conditions";

/** The longest policy document, in characters. https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createpolicy */
const MAX_DOCUMENT_LENGTH = 6144;

export const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1)]);

const action = z.string().regex(/^(\*|[a-z0-9-]+:[A-Za-z0-9*?:_-]+)$/, "must be * or <service>:<action>");
const resource = z.string().regex(/^(\*|acs:[^:]+:[^:]*:[^:]*:.+)$/, "must be * or acs:<service>:<region>:<account>:<resource>");
const conditionValue = z.union([z.string(), z.number(), z.boolean()]);

export const conditionsSchema = z
  .record(z.string(), z.record(z.string().min(1), oneOrMore(conditionValue)))
  .superRefine((conditions, context) => {
    for (const [operator, keys] of Object.entries(conditions)) {
      if (!isOperator(operator)) {
        context.addIssue({ code: "custom", path: [operator], message: "is not a condition operator" });
        continue;
      }
      for (const [key, values] of Object.entries(keys))
        for (const value of [values].flat())
          if (!isValueFor(operator, value))
            context.addIssue({ code: "custom", path: [operator, key], message: `${JSON.stringify(value)} cannot be compared` });
    }
  });

const statementSchema = z
  .strictObject({
    Effect: z.enum(["Allow", "Deny"]),
    Action: oneOrMore(action).optional(),
    NotAction: oneOrMore(action).optional(),
    Resource: oneOrMore(resource),
    Condition: conditionsSchema.optional(),
  })
  .refine((statement) => (statement.Action === undefined) !== (statement.NotAction === undefined), "needs Action or NotAction");

const documentSchema = z.strictObject({ Version: z.literal("1"), Statement: z.array(statementSchema).min(1) });

export type PolicyDocument = z.infer<typeof documentSchema>;
export type Statement = PolicyDocument["Statement"][number];

/** @throws ApiError 400 `MalformedPolicyDocument` that names every invalid place */
export function parseDocument<T extends z.ZodType>(text: string, schema: T): z.infer<T> {
  const malformed = (reason: string) => new ApiError(400, "MalformedPolicyDocument", `The policy document ${reason}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed("is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "(root)"}: ${message}`);
  throw malformed(`does not fit: ${places.join("; ")}`);
}

/** @throws ApiError 400 `MalformedPolicyDocument`, `InvalidParameter.PolicyDocument.Length` */
export function parsePolicyDocument(text: string): PolicyDocument {
  if (text.length > MAX_DOCUMENT_LENGTH)
    throw new ApiError(
      400,
      "InvalidParameter.PolicyDocument.Length",
      `The policy document has ${text.length} characters; at most ${MAX_DOCUMENT_LENGTH} are allowed.`,
    );
  return parseDocument(text, documentSchema);
}
