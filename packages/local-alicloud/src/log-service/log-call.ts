import type * as z from "zod";
import { ApiError } from "../contracts";

/** A request to the log service, after its signature was verified. */
export interface LogCall {
  region: string;
  /** From the host, `<project>.<endpoint>`. */
  project: string | undefined;
  query: URLSearchParams;
  body: Buffer;
  /** `resource` is the part after `acs:log:<region>:<uid>:`. @throws ApiError 401 `Unauthorized` */
  authorize(action: string, resource: string): void;
}

export interface LogAnswer {
  /** Sent as JSON; a text as it is. */
  body?: object | string;
  headers?: Record<string, string>;
}

/** Gets the names in the path, e.g. of the log store. */
export type LogOperation = (call: LogCall, name: string) => LogAnswer;

export const parameterInvalid = (message: string): ApiError => new ApiError(400, "ParameterInvalid", message);

/** @throws ApiError 400 `PostBodyInvalid`, `ParameterInvalid` */
export function readJson<T extends z.ZodType>(schema: T, body: Buffer): z.infer<T> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new ApiError(400, "PostBodyInvalid", "the body is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw parameterInvalid(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}

/** @throws ApiError 400 `ParameterInvalid` when the host has no project */
export function projectOf({ project }: LogCall): string {
  if (project !== undefined) return project;
  throw parameterInvalid("the host has no project: it must be <project>.<endpoint>");
}
