/** A failure inside an execution, visible as `$Context.Current.Error`. */
export class FlowError extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    /** Whether Retry and Catch apply. An error of the definition itself fails the execution at once. */
    readonly catchable: boolean,
  ) {
    super(`${code}: ${detail}`);
    this.name = "FlowError";
  }
}

/** The vendor's codes for these failures are not documented. */
export const fatal = (code: "ExpressionFailed" | "DataTooLarge" | "TooManyEvents" | "InvalidWait", detail: string): FlowError =>
  new FlowError(code, detail, false);
