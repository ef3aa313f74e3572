import { ApiError } from "../../src/contracts";

/** The code of the refusal. Any other error is thrown. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
  throw new Error("it was not refused");
}
