/** What a function answers when it failed; both platforms write it alike. */
import { textAt } from "../runtime/protocol/json";
import { BridgeError } from "../runtime/stores/errors";

export function functionFailed(functionName: string, reason: string | undefined): BridgeError {
  const why = reason ?? "it does not say why; its log does";
  return new BridgeError("Unexpected", "invoke", `the function ${functionName} failed: ${why}`);
}

/** @param answer `{"errorMessage","errorType","stackTrace"}` */
export const errorMessageIn = (answer: unknown): string | undefined => textAt(answer, "errorMessage");

export function notJson(functionName: string): BridgeError {
  return new BridgeError("Unexpected", "invoke", `the function ${functionName} answered no JSON`);
}
