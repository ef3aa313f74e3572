/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
import type { ServerResponse } from "node:http";

const KEEP_ALIVE_MS = 20_000;
/** What may wait for a viewer that does not read. More ends its connection; a page that is there again opens another one. */
const MOST_WAITING_BYTES = 4 * 1024 ** 2;

/** Sends events to viewers. A viewer that does not read fast enough misses events that another one follows soon. */
export class EventStream {
  readonly #viewers = new Set<ServerResponse>();
  /** Of viewers that have not read the last event yet. */
  readonly #behind = new WeakSet<ServerResponse>();

  /** Answers with the stream, which ends with the connection. */
  open(response: ServerResponse, headers: Readonly<Record<string, string>>, onClose: () => void): void {
    response.writeHead(200, { ...headers, "content-type": "text/event-stream; charset=utf-8" });
    response.flushHeaders();
    this.#viewers.add(response);
    const keepAlive = setInterval(() => this.#write(response, ":\n\n"), KEEP_ALIVE_MS);
    keepAlive.unref();
    response.on("drain", () => this.#behind.delete(response));
    response.on("close", () => {
      clearInterval(keepAlive);
      this.#viewers.delete(response);
      onClose();
    });
  }

  send(event: string, data: unknown): void {
    const text = textOf(event, data);
    for (const viewer of this.#viewers) this.#write(viewer, text);
  }

  sendTo(response: ServerResponse, event: string, data: unknown): void {
    this.#write(response, textOf(event, data));
  }

  /** Sends nothing to a viewer that has not read the events before it. */
  sendNewest(response: ServerResponse, event: string, data: unknown): void {
    if (!this.#behind.has(response)) this.#write(response, textOf(event, data));
  }

  closeAll(): void {
    for (const viewer of this.#viewers) viewer.end();
  }

  #write(response: ServerResponse, text: string): void {
    if (!response.write(text)) this.#behind.add(response);
    if (response.writableLength > MOST_WAITING_BYTES) response.destroy();
  }
}

/** JSON holds no line break, so one `data` field is enough. */
const textOf = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
