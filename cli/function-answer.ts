/** What a function answers when it failed; both platforms write it alike. */
import { parseText, textAt } from "../runtime/sender/read-json";
import { BridgeError } from "../runtime/stores/errors";

/** @param answer `{"errorMessage","errorType","stackTrace"}` */
export function functionFailed(functionName: string, answer: string): BridgeError {
  const reason = errorMessageIn(parseText(answer)?.value) ?? "it does not say why; its log does";
  return new BridgeError("Unexpected", "invoke", `the function ${functionName} failed: ${reason}`);
}

export const errorMessageIn = (answer: unknown): string | undefined => textAt(answer, "errorMessage");

export function notJson(functionName: string): BridgeError {
  return new BridgeError("Unexpected", "invoke", `the function ${functionName} answered no JSON`);
}
