import type * as z from "zod";
import { ApiError } from "../contracts";

export type Parameters = Record<string, string>;
/** Answers one action. */
export type Operation = (region: string, parameters: Parameters) => object | Promise<object>;

/** @throws ApiError 400 `MissingRequiredParams`, `InvalidArgument` */
export function read<T>(schema: z.ZodType<T>, parameters: Parameters): T {
  const parsed = schema.safeParse(parameters);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join("."));
  const missing = fields.find((field) => parameters[field] === undefined);
  if (missing !== undefined) throw new ApiError(400, "MissingRequiredParams", `The HTTP query '${missing}' must be specified.`);
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new ApiError(400, "InvalidArgument", problems.join("; "));
}
