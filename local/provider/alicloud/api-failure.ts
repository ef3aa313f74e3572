/** A refusal of one of the cloud's APIs. */
export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Undefined when the resource does not exist. */
export async function unlessMissing<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** For deletes: succeeds when the resource does not exist. */
export async function ignoreMissing(call: () => Promise<unknown>): Promise<void> {
  await unlessMissing(call);
}

/** Errors of the control APIs and of the OSS client have the HTTP status. `Invalid...` is about the call, e.g. its action or its key. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { status, code = "" } = error as Partial<ApiFailure>;
  return status === 404 && !code.startsWith("Invalid");
}
