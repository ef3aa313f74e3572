/**
 * The function's own credentials. Function Compute hands new ones to every invocation, good for 36 hours, longer than any invocation
 * lasts: clients are made once and ask for the newest before each request.
 * https://www.alibabacloud.com/help/en/functioncompute/context-1-1
 */
import { BridgeError } from "../../stores/errors";

export interface FunctionCredentials {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken: string;
}

export interface OwnCredentials {
  /** With what an invocation's context holds. */
  renew(credentials: Partial<FunctionCredentials> | undefined): void;
  /** @throws BridgeError `PermissionDenied` when the function has no role. */
  current(): FunctionCredentials;
}

export function createOwnCredentials(): OwnCredentials {
  let newest: FunctionCredentials | undefined;
  return {
    renew({ accessKeyId, accessKeySecret, securityToken } = {}) {
      if (accessKeyId && accessKeySecret && securityToken) newest = { accessKeyId, accessKeySecret, securityToken };
    },
    current() {
      if (newest === undefined)
        throw new BridgeError("PermissionDenied", "credentials", "the function has no credentials: give it a role");
      return newest;
    },
  };
}
