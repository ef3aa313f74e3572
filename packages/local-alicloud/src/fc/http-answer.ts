/** Converts a function's result to the answer of its HTTP trigger. https://www.alibabacloud.com/help/en/functioncompute/fc/http-trigger-invoking-function */
import { validateHeaderName, validateHeaderValue } from "node:http";
import * as z from "zod";
import { type Outcome, publicErrorType } from "./instance";

export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Headers that a function cannot set, besides `x-fc-*`. */
const RESERVED = new Set(["connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"]);

const answerSchema = z.object({
  statusCode: z.int().min(200).max(599),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().default(""),
  isBase64Encoded: z.boolean().default(false),
});

export function httpAnswer(outcome: Outcome): HttpAnswer {
  if (outcome.errorType !== undefined) return functionFailed(outcome.payload, publicErrorType(outcome.errorType));
  const value = jsonOf(outcome.payload);
  if (typeof value !== "object" || value === null || !("statusCode" in value)) {
    // A result without statusCode is the body.
    const type = value === undefined ? "text/plain; charset=utf-8" : "application/json";
    return { status: 200, headers: { "content-type": type }, body: outcome.payload };
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) return malformed(z.prettifyError(parsed.error));
  const { statusCode, headers, body, isBase64Encoded } = parsed.data;
  const kept = Object.entries(headers)
    .map(([name, text]) => [name.toLowerCase(), text] as const)
    .filter(([name]) => !RESERVED.has(name) && !name.startsWith("x-fc-"));
  const forbidden = kept.find((header) => !isHeader(...header));
  if (forbidden !== undefined)
    return malformed(`the header ${JSON.stringify(forbidden[0])} has a character that HTTP forbids in its name or its value`);
  return { status: statusCode, headers: Object.fromEntries(kept), body: Buffer.from(body, isBase64Encoded ? "base64" : "utf8") };
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

const malformed = (reason: string): HttpAnswer =>
  functionFailed(
    Buffer.from(JSON.stringify({ errorMessage: `the function's response is malformed: ${reason}` })),
    "UnhandledInvocationError",
  );

function functionFailed(body: Buffer, errorType: string): HttpAnswer {
  return { status: 502, headers: { "content-type": "application/json", "x-fc-error-type": errorType }, body };
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}
