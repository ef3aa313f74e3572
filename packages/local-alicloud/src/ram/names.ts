import { ApiError } from "../contracts";

const ROLE_NAME = /^[A-Za-z0-9.-]{1,64}$/;
const POLICY_NAME = /^[A-Za-z0-9-]{1,128}$/;
const SESSION_NAME = /^[A-Za-z0-9.@_-]{2,64}$/;

const assertName = (pattern: RegExp, what: string, rule: string) => (name: string) => {
  if (!pattern.test(name))
    throw new ApiError(400, `InvalidParameter.${what}`, `${what} ${JSON.stringify(name)} must be ${rule}.`);
};

/** https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createrole */
export const assertRoleName = assertName(ROLE_NAME, "RoleName", "1 to 64 letters, digits, periods and hyphens");
/** https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createpolicy */
export const assertPolicyName = assertName(POLICY_NAME, "PolicyName", "1 to 128 letters, digits and hyphens");
/** https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole */
export const assertSessionName = assertName(SESSION_NAME, "RoleSessionName", "2 to 64 letters, digits and . @ - _");

const MIN_SESSION_SECONDS = 3600;
const MAX_SESSION_SECONDS = 43_200;

export function assertMaxSessionDuration(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= MIN_SESSION_SECONDS && seconds <= MAX_SESSION_SECONDS) return;
  throw new ApiError(
    400,
    "InvalidParameter.MaxSessionDuration",
    `MaxSessionDuration ${seconds} must be ${MIN_SESSION_SECONDS} to ${MAX_SESSION_SECONDS} seconds.`,
  );
}

const MAX_DESCRIPTION_LENGTH = 1024;

export function assertDescription(description: string): void {
  if (description.length <= MAX_DESCRIPTION_LENGTH) return;
  throw new ApiError(
    400,
    "InvalidParameter.Description.Length",
    `The description has ${description.length} characters; at most ${MAX_DESCRIPTION_LENGTH} are allowed.`,
  );
}

/** A time as RAM writes it, e.g. `2026-11-21T12:00:00Z`. */
export const isoSeconds = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");
