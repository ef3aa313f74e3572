import { ApiError } from "../../src/contracts";

/** The code that something was refused with, and nothing else but a refusal. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
  throw new Error("it was not refused");
}
