/** Takes the framing off the body of an answer, and joins its bytes. */
import { type Framing, WrongAnswer } from "./answer-head";

/**
 * Servers send TLS records of 4 to 16 KiB. A stream makes several objects for each piece, so for a large object the joining of records saves half of
 * the processor time.
 */
const USUAL_PIECE_BYTES = 64 * 1024;
/** Larger pieces bring nothing. */
const MOST_PIECE_BYTES = 256 * 1024;
/** A long answer has few neighbours, so its pieces may be larger. */
const PIECES_OF_AN_ANSWER = 1024;
/** A piece is begun where there is room for this much. */
const LEAST_ROOM_BYTES = 4 * 1024;
/** The size of a chunk and its extensions, and the lines after the last chunk. */
const MOST_LINE_BYTES = 16 * 1024;

export class BodyDecoder {
  /** The body is complete. */
  isComplete: boolean;
  private readonly pieceBytes: number;
  private piece = EMPTY;
  /** The bytes of the piece between these two places were not passed on yet. */
  private from = 0;
  private to = 0;
  private isFlushPlanned = false;
  /** Bytes that are missing until the end of the body, or of the chunk. */
  private left = 0;
  private line = "";
  private expected: "size" | "bytes" | "end-of-chunk" | "trailer";

  constructor(
    framing: Framing,
    private readonly onPiece: (piece: Buffer) => void,
  ) {
    const { kind } = framing;
    const bytes = kind === "length" ? framing.bytes : USUAL_PIECE_BYTES;
    const wanted = Math.max(USUAL_PIECE_BYTES, Math.min(MOST_PIECE_BYTES, Math.ceil(bytes / PIECES_OF_AN_ANSWER)));
    this.pieceBytes = Math.min(wanted, bytes);
    this.left = kind === "length" ? bytes : Number.POSITIVE_INFINITY;
    this.expected = kind === "chunked" ? "size" : "bytes";
    this.isChunked = kind === "chunked";
    this.isComplete = kind === "none" || this.left === 0;
  }

  private readonly isChunked: boolean;

  /**
   * @returns the bytes that are left after the end of the body
   * @throws WrongAnswer
   */
  take(bytes: Buffer): Buffer {
    let rest = bytes;
    while (rest.length > 0 && !this.isComplete) rest = this.expected === "bytes" ? this.takeBytes(rest) : this.takeLine(rest);
    if (this.isComplete) this.flush();
    else this.planFlush();
    return rest;
  }

  /** The connection has ended. @returns whether the body is complete */
  close(): boolean {
    this.flush();
    return this.isComplete || (!this.isChunked && this.left === Number.POSITIVE_INFINITY);
  }

  /** Drops the bytes that were not passed on yet. */
  discard(): void {
    this.from = this.to;
  }

  private takeBytes(bytes: Buffer): Buffer {
    const own = bytes.length > this.left ? bytes.subarray(0, this.left) : bytes;
    this.join(own);
    this.left -= own.length;
    if (this.left === 0) {
      if (this.isChunked) this.expected = "end-of-chunk";
      else this.isComplete = true;
    }
    return bytes.subarray(own.length);
  }

  private takeLine(bytes: Buffer): Buffer {
    const end = bytes.indexOf(LINE_FEED);
    const taken = bytes.subarray(0, end < 0 ? bytes.length : end + 1);
    this.line += taken.toString("latin1");
    if (this.line.length > MOST_LINE_BYTES) throw new WrongAnswer("a chunk of the answer has a line that is too long");
    if (end >= 0) {
      if (!this.line.endsWith("\r\n")) throw new WrongAnswer("a line of a chunk ends with a line feed alone");
      const line = this.line.slice(0, -2);
      this.line = "";
      this.readLine(line);
    }
    return bytes.subarray(taken.length);
  }

  private readLine(line: string): void {
    switch (this.expected) {
      case "size": {
        const [, size] = /^([\da-f]{1,13})[\t ]*(?:;.*)?$/i.exec(line) ?? [];
        if (size === undefined) throw new WrongAnswer(`a chunk of the answer begins with ${JSON.stringify(line.slice(0, 100))}`);
        this.left = Number.parseInt(size, 16);
        this.expected = this.left === 0 ? "trailer" : "bytes";
        break;
      }
      case "end-of-chunk":
        if (line !== "") throw new WrongAnswer("a chunk of the answer is longer than it says");
        this.expected = "size";
        break;
      default:
        this.isComplete = line === "";
    }
  }

  private join(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const left = Math.max(this.left - at, 0);
      if (this.piece.length - this.to < Math.min(LEAST_ROOM_BYTES, left)) {
        this.flush();
        this.piece = Buffer.allocUnsafeSlow(Math.min(this.pieceBytes, Math.max(left, bytes.length - at)));
        this.from = 0;
        this.to = 0;
      }
      const length = Math.min(bytes.length - at, this.piece.length - this.to);
      this.piece.set(length === bytes.length ? bytes : bytes.subarray(at, at + length), this.to);
      this.to += length;
      at += length;
    }
  }

  /** A slow link fills no piece in a short time, so what has arrived in this turn of the event loop is passed on. */
  private planFlush(): void {
    if (this.isFlushPlanned || this.from === this.to) return;
    this.isFlushPlanned = true;
    setImmediate(() => {
      this.isFlushPlanned = false;
      this.flush();
    });
  }

  private flush(): void {
    const { piece, from, to } = this;
    if (from === to) return;
    this.from = to;
    this.onPiece(piece.subarray(from, to));
  }
}

const EMPTY = Buffer.alloc(0);
const LINE_FEED = 0x0a;
