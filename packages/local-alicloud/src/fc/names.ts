import { ApiError } from "../contracts";

/** Errors of Function Compute. https://www.alibabacloud.com/help/en/functioncompute/error-codes */
export const invalidArgument = (message: string) => new ApiError(400, "InvalidArgument", message);
export const notFound = (what: string, name: string) =>
  new ApiError(404, `${what}NotFound`, `${what.toLowerCase()} '${name}' does not exist`);
export const accessDenied = (message: string) => new ApiError(403, "AccessDenied", message);
export const entityTooLarge = (limitBytes: number) =>
  new ApiError(400, "EntityTooLarge", `payload size exceeds maximum allowed size (${limitBytes} bytes)`);
export const concurrencyExhausted = (functionName: string, limit: number) =>
  new ApiError(429, "ResourceExhausted", `function '${functionName}' runs ${limit} invocations, which is its limit`);
/** The documentation gives no limit of the backlog. This one is of this machine's memory. */
export const backlogExhausted = (limitBytes: number) =>
  new ApiError(429, "ResourceExhausted", `asynchronous invocations that are not finished may take ${limitBytes} bytes here`);

export const MAX_SYNC_PAYLOAD_BYTES = 32 * 1024 * 1024;
export const MAX_ASYNC_PAYLOAD_BYTES = 128 * 1024;
export const MAX_ASYNC_BACKLOG_BYTES = 256 * 1024 * 1024;
/** The rough memory of an invocation besides its payload. */
export const ASYNC_INVOCATION_BYTES = 1024;

export const functionArn = (region: string, accountId: string, functionName: string) =>
  `acs:fc:${region}:${accountId}:functions/${functionName}`;

/** Letters, digits, `_` and `-`; the first is not a digit or `-`. */
export const isName = (name: string, maxLength: number) => /^[A-Za-z_][\w-]*$/.test(name) && name.length <= maxLength;

/** E.g. `1-64f6cd87-5a1b7c2d-9e8f7a6b5c4d`. */
export function newRequestId(now: number, randomHex: string): string {
  const seconds = Math.floor(now / 1000).toString(16);
  return `1-${seconds}-${randomHex.slice(0, 8)}-${randomHex.slice(8, 20)}`;
}

/** A name in a path. @throws ApiError `InvalidArgument` */
export function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidArgument(`${text} in the path is not percent-encoded UTF-8`);
  }
}
