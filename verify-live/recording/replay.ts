/** Answers requests with recorded answers, and checks that they are the recorded requests. No connection is opened. */
import { isDeepStrictEqual } from "node:util";
import { Dispatcher } from "undici";
import { bytesOf, type RecordedExchange, Scrubber } from "./scrub";

/** The bucket of every fixture. */
export const FIXTURE_BUCKET = "fixture-bucket";
/** Where the keys of every fixture begin. */
export const FIXTURE_PREFIX = "scene/";

export class ReplayDispatcher extends Dispatcher {
  /** Requests that differ from the recorded ones. */
  readonly problems: string[] = [];
  private at = 0;
  private readonly scrubber = new Scrubber([]);

  constructor(private readonly exchanges: readonly RecordedExchange[]) {
    super();
  }

  /** Recorded requests that nobody has made. */
  get left(): number {
    return this.exchanges.length - this.at;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const expected = this.exchanges[this.at];
    this.at += 1;
    handler.onConnect?.(() => undefined);
    if (expected === undefined) return this.refuse(`${options.method} ${options.path} is not in the recording`, handler);
    const { method, path, headers, body } = options;
    const { request } = this.scrubber.clean({
      method,
      path: withoutBucket(path),
      requestHeaders: headers as Record<string, string>,
      requestBody: body instanceof Uint8Array ? Buffer.from(body) : undefined,
      status: 0,
      answerHeaders: [],
      answerBody: Buffer.alloc(0),
    });
    if (!isDeepStrictEqual(request, expected.request))
      return this.refuse(
        `request ${this.at}: recorded ${JSON.stringify(expected.request)}, sent ${JSON.stringify(request)}`,
        handler,
      );
    // As from a socket: never before the caller waits for the answer.
    setImmediate(() => answer(expected.answer, handler));
    return true;
  }

  private refuse(problem: string, handler: Dispatcher.DispatchHandler): boolean {
    this.problems.push(problem);
    setImmediate(() => handler.onError?.(new Error(problem)));
    return true;
  }
}

function answer({ status, headers, body }: RecordedExchange["answer"], handler: Dispatcher.DispatchHandler): void {
  const raw = Object.entries(headers).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value, "latin1")]);
  handler.onHeaders?.(status, raw, () => undefined, "");
  const bytes = bytesOf(body);
  if (bytes.length > 0) handler.onData?.(bytes);
  handler.onComplete?.([]);
}

/** Outside the vendor's hosts the bucket is a part of the path. */
export function withoutBucket(path: string, bucket = FIXTURE_BUCKET): string {
  return path.startsWith(`/${bucket}/`) ? path.slice(bucket.length + 1) : path;
}
