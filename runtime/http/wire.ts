/** One connection of HTTP/1.1, which carries one request after the other. */
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { systemClock } from "../protocol/ports";
import { BodyDecoder } from "./answer-body";
import { type AnswerHead, parseAnswerHead } from "./answer-head";
import { bodyLength, type Payload, readAfterFailedWrite, requestHead, sendBytes, Upload } from "./request-writer";

/** A request and what becomes of its answer, in the form of undici's. */
export interface Task {
  request: Dispatcher.DispatchOptions;
  handler: Dispatcher.DispatchHandler;
  /** From the request to the headers of the answer. 0 stands for no limit. */
  answerTimeoutMs: number;
  /** Between two pieces of the body of the answer. 0 stands for no limit. */
  bodyIdleMs: number;
}

export interface WireEvents {
  /** It carries no request, and can carry one. Called once when it is connected without a request, and after each answer. */
  idle(): void;
  closed(): void;
}

/** Node's own limit is 16 KiB. */
const MOST_HEAD_BYTES = 32 * 1024;
/** After this time without a request, a server may have closed the connection unnoticed. */
const RESTED_MS = 100;
/** The answer of a server that has closed is here already, or never comes. */
const EARLY_ANSWER_MS = 1_000;
/** Before the server closes an idle connection. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

export class Wire {
  private socket: Socket | undefined;
  private running: Running | undefined;
  private isClosed = false;
  private idleTimer: NodeJS.Timeout | undefined;
  private idleSinceMs = 0;
  /** Why a write failed. Only what has arrived can still be read. */
  private brokenBy: Error | undefined;

  constructor(
    private readonly host: string,
    private readonly keepAliveMs: number,
    private readonly events: WireEvents,
  ) {}

  hasRested(): boolean {
    return systemClock.now() - this.idleSinceMs > RESTED_MS;
  }

  /** Only where it carries no request. */
  begin(task: Task): void {
    clearTimeout(this.idleTimer);
    this.running = new Running(task);
    if (this.socket !== undefined) this.send(this.socket, this.running);
  }

  connected(socket: Socket): void {
    if (this.isClosed) return void socket.destroy();
    this.socket = socket;
    readAfterFailedWrite(socket, (cause) => this.writeFailed(cause));
    socket.on("error", (cause) => this.destroy(cause));
    socket.on("end", () => this.ended());
    socket.on("close", () => this.ended());
    // No byte goes to the stream. This lets it see the end of the connection.
    socket.resume();
    if (this.running === undefined) this.rest(undefined);
    else this.send(socket, this.running);
  }

  /** @returns whether more bytes are wanted now */
  take(bytes: Buffer): boolean {
    const { running } = this;
    try {
      // Bytes that nobody asked for.
      if (running === undefined) throw connectionError("the server sent bytes without a request");
      if (!running.take(bytes)) return !running.isPaused;
    } catch (error) {
      this.destroy(error as Error);
      return true;
    }
    this.complete(running);
    return true;
  }

  destroy(cause: Error = connectionError("the client closed the connection")): void {
    if (this.isClosed) return;
    const { running } = this;
    this.close();
    running?.fail(cause);
  }

  private close(): void {
    this.isClosed = true;
    this.running = undefined;
    clearTimeout(this.idleTimer);
    this.socket?.destroy();
    this.events.closed();
  }

  private ended(): void {
    const { running } = this;
    if (this.isClosed) return;
    this.close();
    if (running?.close() !== true) running?.fail(this.brokenBy ?? connectionError("other side closed"));
  }

  private writeFailed(cause: Error): void {
    if (this.isClosed || this.brokenBy !== undefined) return;
    this.brokenBy = cause;
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => this.destroy(cause), EARLY_ANSWER_MS).unref();
  }

  private send(socket: Socket, running: Running): void {
    const abort = (cause: Error) => {
      // Its answer may be complete, and the connection may carry another request now.
      if (this.running === running) this.destroy(cause);
      else running.fail(cause);
    };
    const refusal = running.start({ resume: () => void socket.resume(), abort });
    if (refusal === undefined) {
      try {
        socket.ref();
        running.send(socket, this.host);
        return;
      } catch (error) {
        running.fail(error as Error);
      }
    } else running.fail(refusal);
    // Nothing was sent.
    this.running = undefined;
    setImmediate(() => {
      if (!this.isClosed) this.rest(undefined);
    });
  }

  /**
   * The answer ends one turn of the event loop after its last byte. What arrives in that turn shows that the connection cannot be used again: its end,
   * or bytes that belong to no request.
   */
  private complete(running: Running): void {
    // The handler may have ended the connection.
    if (this.running !== running) return;
    this.running = undefined;
    if (!running.isReusable || this.brokenBy !== undefined) {
      this.close();
      running.complete();
      return;
    }
    setImmediate(() => {
      if (!this.isClosed) this.rest(running.serverKeepsMs);
      running.complete();
    });
  }

  private rest(serverKeepsMs: number | undefined): void {
    const keepMs = Math.min(this.keepAliveMs, (serverKeepsMs ?? Number.POSITIVE_INFINITY) - KEEP_ALIVE_MARGIN_MS);
    if (keepMs <= 0) {
      this.close();
      return;
    }
    this.idleSinceMs = systemClock.now();
    // The last reader may have paused it. Without reading, the end of the connection is not noticed either.
    this.socket?.resume().unref();
    this.idleTimer = setTimeout(() => this.close(), keepMs).unref();
    this.events.idle();
  }
}

/** A task on its connection. */
class Running {
  isPaused = false;
  private answer: AnswerHead | undefined;
  private body: BodyDecoder | undefined;
  private headBytes: Buffer = EMPTY;
  private isOver = false;
  private hasExtraBytes = false;
  private refusal: Error | undefined;
  private isStarted = false;
  private timer: NodeJS.Timeout | undefined;
  private upload: Upload | undefined;
  private controls: { resume(): void; abort(cause: Error): void } | undefined;

  private readonly payload: Payload | undefined;

  constructor(private readonly task: Task) {
    const { body } = task.request;
    this.payload = typeof body === "string" ? Buffer.from(body) : ((body as Payload | null) ?? undefined);
  }

  get isReusable(): boolean {
    return this.answer?.isReusable === true && !this.hasExtraBytes && this.upload?.isSent !== false;
  }

  get serverKeepsMs(): number | undefined {
    return this.answer?.serverKeepsMs;
  }

  /** @returns why the request is not sent */
  start(controls: { resume(): void; abort(cause: Error): void }): Error | undefined {
    this.controls = controls;
    this.task.handler.onConnect?.((cause) => {
      const error = cause ?? connectionError("the request was aborted");
      if (this.isStarted) controls.abort(error);
      else this.refusal = error;
    });
    this.isStarted = true;
    return this.refusal;
  }

  /** @throws TypeError where nothing was sent */
  send(socket: Socket, host: string): void {
    const { request, handler, answerTimeoutMs } = this.task;
    const { payload } = this;
    const head = requestHead(request, host, payload);
    if (payload instanceof Uint8Array) sendBytes(socket, head, payload);
    else socket.write(head, "latin1");
    if (payload instanceof Readable)
      this.upload = new Upload(payload, bodyLength(request), {
        socket,
        onSent: (bytes) => handler.onBodySent?.(bytes, 0),
        abort: (cause) => this.controls?.abort(cause),
      });
    this.startTimer(answerTimeoutMs, "UND_ERR_HEADERS_TIMEOUT", "no answer came");
  }

  /** @returns whether the answer is complete */
  take(bytes: Buffer): boolean {
    if (this.isOver) return false;
    if (this.body !== undefined) {
      this.timer?.refresh();
      return this.takeBody(this.body, bytes);
    }
    const known = this.headBytes.length === 0 ? bytes : Buffer.concat([this.headBytes, bytes]);
    const end = known.indexOf("\r\n\r\n");
    if (end < 0) {
      if (known.length > MOST_HEAD_BYTES)
        throw Object.assign(new Error("the head of the answer is too long"), { code: "UND_ERR_HEADERS_OVERFLOW" });
      // The bytes are in the buffer of the connection, which the next ones overwrite.
      this.headBytes = known === bytes ? Buffer.from(bytes) : known;
      return false;
    }
    this.headBytes = EMPTY;
    const answer = parseAnswerHead(known.toString("latin1", 0, end), this.task.request.method);
    const rest = known.subarray(end + 4);
    if (answer.status === 101) throw connectionError("the server changed the protocol");
    // A notice before the answer.
    if (answer.status < 200) return rest.length > 0 && this.take(rest);
    return this.answered(answer, rest);
  }

  /** The connection has ended. @returns whether the answer is complete with it */
  close(): boolean {
    if (this.isOver || this.body?.close() !== true) return false;
    this.complete();
    return true;
  }

  complete(): void {
    if (!this.end()) return;
    // Its bytes have not all left, and nobody waits for them now.
    if (this.upload?.isSent === false) this.upload.stop();
    try {
      this.task.handler.onComplete?.([]);
    } catch (error) {
      this.task.handler.onError?.(error as Error);
    }
  }

  fail(cause: Error): void {
    if (!this.end()) return;
    this.body?.discard();
    this.upload?.stop(cause);
    if (this.upload === undefined && this.payload instanceof Readable) this.payload.destroy();
    this.task.handler.onError?.(cause);
  }

  private end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    clearTimeout(this.timer);
    return true;
  }

  private answered(answer: AnswerHead, rest: Buffer): boolean {
    const { handler, bodyIdleMs } = this.task;
    this.answer = answer;
    const body = new BodyDecoder(answer.framing, (piece) => this.pass(piece));
    this.body = body;
    // The types of undici name buffers only; its own handlers take text.
    const headers = answer.headers as unknown as Buffer[];
    if (handler.onHeaders?.(answer.status, headers, () => this.resume(), answer.statusText) === false) this.isPaused = true;
    if (this.isOver) return false;
    if (this.takeBody(body, rest)) return true;
    // The handler may have ended it.
    if (this.isOver) return false;
    this.startTimer(bodyIdleMs, "UND_ERR_BODY_TIMEOUT", "the body stopped");
    return false;
  }

  private takeBody(body: BodyDecoder, bytes: Buffer): boolean {
    const rest = body.take(bytes);
    if (!body.isComplete || this.isOver) return false;
    // They belong to no request.
    this.hasExtraBytes = rest.length > 0;
    return true;
  }

  private pass(piece: Buffer): void {
    if (this.isOver) return;
    try {
      if (this.task.handler.onData?.(piece) === false) this.isPaused = true;
    } catch (error) {
      this.controls?.abort(error as Error);
    }
  }

  private resume(): void {
    if (!this.isPaused || this.isOver) return;
    this.isPaused = false;
    this.timer?.refresh();
    this.controls?.resume();
  }

  private startTimer(afterMs: number, code: string, what: string): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (afterMs === 0) return;
    const late = () => {
      // The reader has stopped, not the server.
      if (this.isPaused) this.timer?.refresh();
      else this.controls?.abort(Object.assign(new Error(`${what} for ${afterMs} ms`), { code }));
    };
    this.timer = setTimeout(late, afterMs).unref();
  }
}

const EMPTY = Buffer.alloc(0);

/** The client was closed by its owner. With the code of undici, which no caller takes for a broken connection. */
export const closedError = (): Error => Object.assign(new Error("the client is closed"), { code: "UND_ERR_DESTROYED" });

/** With the code of undici's errors for a connection that ended. */
export const connectionError = (what: string): Error => Object.assign(new Error(what), { code: "UND_ERR_SOCKET" });
