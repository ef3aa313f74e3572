/** A failure inside an execution: `$Context.Current.Error`. */
export class FlowError extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    /** Whether Retry and Catch see it. A definition that cannot be carried out on its data fails the execution at once. */
    readonly catchable: boolean,
  ) {
    super(`${code}: ${detail}`);
    this.name = "FlowError";
  }
}

/** What the vendor calls these failures is not documented. */
export const fatal = (code: "ExpressionFailed" | "DataTooLarge" | "TooManyEvents" | "InvalidWait", detail: string): FlowError =>
  new FlowError(code, detail, false);
