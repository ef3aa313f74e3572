/** Records requests and answers on their way through the project's own HTTP layer. */
import { Dispatcher } from "undici";

/** As it went over the wire, secrets included. It never leaves the process: `Scrubber.clean` makes the form that is stored. */
export interface RawExchange {
  method: string;
  /** Path and query as sent. */
  path: string;
  requestHeaders: Readonly<Record<string, string>>;
  /** Undefined without a body, and for a body that was sent as a stream. */
  requestBody: Buffer | undefined;
  status: number;
  /** In their order; a name may repeat. */
  answerHeaders: readonly (readonly [string, string])[];
  answerBody: Buffer;
}

/** Sends everything through another dispatcher and keeps what was said, in the order in which the answers ended. */
export class RecordingDispatcher extends Dispatcher {
  readonly exchanges: RawExchange[] = [];

  constructor(private readonly inner: Dispatcher) {
    super();
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { method, path, headers, body } = options;
    const chunks: Buffer[] = [];
    let status = 0;
    let answerHeaders: [string, string][] = [];
    const tap: Dispatcher.DispatchHandler = {
      onConnect: (abort) => handler.onConnect?.(abort),
      onBodySent: (chunkBytes, sentBytes) => handler.onBodySent?.(chunkBytes, sentBytes),
      onHeaders: (code, raw, resume, text) => {
        status = code;
        answerHeaders = pairs(raw);
        return handler.onHeaders?.(code, raw, resume, text) ?? true;
      },
      onData: (chunk) => {
        // The connection uses the memory of a piece again.
        chunks.push(Buffer.from(chunk));
        return handler.onData?.(chunk) ?? true;
      },
      onComplete: (trailers) => {
        this.exchanges.push({
          method,
          path,
          requestHeaders: { ...(headers as Record<string, string>) },
          requestBody: body instanceof Uint8Array ? Buffer.from(body) : undefined,
          status,
          answerHeaders,
          answerBody: Buffer.concat(chunks),
        });
        handler.onComplete?.(trailers);
      },
      onError: (error) => handler.onError?.(error),
    };
    return this.inner.dispatch(options, tap);
  }
}

function pairs(raw: readonly Buffer[]): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2)
    found.push([(raw[at] as Buffer).toString("latin1").toLowerCase(), (raw[at + 1] as Buffer).toString("latin1")]);
  return found;
}
