/** Turns the refusals of a store, and calls without an answer, into the kinds that callers switch on. S3 and OSS share it. */
import type { CallErrors } from "../http/client";
import type { AnswerHeaders, WholeAnswer } from "../http/exchange";
import { parseXml } from "../http/xml";
import { abortedError } from "./body";
import { BridgeError, type BridgeErrorKind, confirmedKind, isRead, type KindTable, kindLookup, retryAfterOf } from "./errors";

/** Codes of Node, of undici and of OpenSSL for a request that got no answer. */
const kindOfFailure = kindLookup({
  Unavailable: [
    "EAI_AGAIN",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "EPIPE",
    "ETIMEDOUT",
    "UND_ERR_BODY_TIMEOUT",
    "UND_ERR_CONNECT_TIMEOUT",
    "UND_ERR_HEADERS_TIMEOUT",
    "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
    "UND_ERR_SOCKET",
  ],
  Invalid: ["UND_ERR_INVALID_ARG"],
});

/** Statuses without a code of the vendor: a proxy has none, and neither has an answer to HEAD. */
export const STATUS_KINDS: KindTable = {
  NotFound: [404],
  PreconditionFailed: [304, 412],
  PermissionDenied: [401, 403],
  RateLimited: [429],
  Unavailable: [408],
  Invalid: [400, 411, 413, 416],
  Unsupported: [405, 501],
};

export interface Refusal {
  status: number;
  /** The vendor's own code, where the answer has one. */
  code?: string | undefined;
  requestId?: string | undefined;
  retryAfter?: string | undefined;
}

export interface Vendor {
  /** Named in messages. */
  name: "S3" | "OSS";
  /** The kinds of codes, and of statuses. */
  kinds: readonly KindTable[];
  /** By code or kind. */
  advice: Partial<Record<string, string>>;
  requestIdHeader: string;
  /** The code, where the body of the answer has none. */
  codeOf?: ((headers: AnswerHeaders) => string | undefined) | undefined;
  /** Operations whose upload is gone once they have landed. */
  completes: ReadonlySet<string>;
  /** Kinds of errors after which the same request is sent again. */
  transient: ReadonlySet<BridgeErrorKind>;
}

export class VendorErrors implements CallErrors {
  private readonly lookups: readonly ReturnType<typeof kindLookup>[];

  constructor(private readonly vendor: Vendor) {
    this.lookups = vendor.kinds.map(kindLookup);
  }

  refused(op: string, answer: WholeAnswer, mayHaveLanded: boolean): BridgeError {
    const { headers, status } = answer;
    const { codeOf, requestIdHeader } = this.vendor;
    const code = codeIn(answer.body) ?? codeOf?.(headers);
    const refusal = { status, code, requestId: headers[requestIdHeader], retryAfter: headers["retry-after"] };
    return this.refusal(op, refusal, mayHaveLanded);
  }

  /** Leaves the vendor's own message out, because it may name accounts and keys. */
  refusal(op: string, refusal: Refusal, mayHaveLanded = false): BridgeError {
    const { name, advice } = this.vendor;
    const { status, code, requestId } = refusal;
    const found = this.kindOf(refusal);
    const ambiguous = mayHaveLanded && this.isAmbiguous(op, found, code);
    const kind = ambiguous ? "Unavailable" : found;
    const hint = ambiguous ? "after a retry, so the first request may have landed" : (advice[code ?? ""] ?? advice[kind]);
    // An answer to HEAD has no document, and so no code.
    const answer = code === undefined ? [`HTTP ${status}`] : [code, `HTTP ${status}`];
    const [first, ...details] = requestId === undefined ? answer : [...answer, `request ${requestId}`];
    const said = details.length === 0 ? first : `${first} (${details.join(", ")})`;
    const message = `${name} answered ${op} with ${said}${hint === undefined ? "" : `: ${hint}`}`;
    const error = new BridgeError(kind, op, message, { cause: refusal, retryAfterSeconds: retryAfterOf(refusal.retryAfter) });
    if (ambiguous) this.ambiguous.add(error);
    return error;
  }

  broken(op: string, cause: unknown): BridgeError {
    if (cause instanceof BridgeError) return cause;
    const code = codeOfFailure(cause);
    const kind = (code === undefined ? undefined : kindOfFailure(code)) ?? "Unexpected";
    return new BridgeError(kind, op, `${this.vendor.name} did not answer ${op}: ${code ?? "an unknown error"}`, { cause });
  }

  aborted(op: string, cause: unknown): BridgeError {
    return abortedError(op, cause);
  }

  isTransient(error: Error): boolean {
    return error instanceof BridgeError && this.vendor.transient.has(error.kind) && !this.ambiguous.has(error);
  }

  private readonly ambiguous = new WeakSet<BridgeError>();

  private kindOf({ status, code }: Refusal): BridgeErrorKind {
    const named = code === undefined ? undefined : this.lookup(code);
    const kind = named ?? this.lookup(status);
    if (kind !== undefined) return confirmedKind(kind, status);
    return status >= 500 ? "Unavailable" : "Unexpected";
  }

  private lookup(code: string | number): BridgeErrorKind | undefined {
    for (const lookup of this.lookups) {
      const kind = lookup(code);
      if (kind !== undefined) return kind;
    }
    return undefined;
  }

  /**
   * Whether a refusal leaves the outcome unknown. If the answer to a first request was lost, that request may have landed, and then the
   * retry is refused because of it.
   */
  private isAmbiguous(op: string, kind: BridgeErrorKind, code: string | undefined): boolean {
    if (isRead(op)) return false;
    return kind === "PreconditionFailed" || (this.vendor.completes.has(op) && code === "NoSuchUpload");
  }
}

/** The code of an error document; undefined where the body is none. */
export function codeIn(body: Buffer): string | undefined {
  if (body.length === 0) return undefined;
  const root = parseXml(body.toString("utf8"));
  return root?.name === "Error" ? root.textOf("Code") : undefined;
}

/** A connection to several addresses fails with one error for each. */
function codeOfFailure(cause: unknown): string | undefined {
  const { code, errors } = (cause ?? {}) as { code?: unknown; errors?: unknown };
  if (typeof code === "string") return code;
  return Array.isArray(errors) ? errors.map(codeOfFailure).find((found) => found !== undefined) : undefined;
}

/** The code of the refusal that this error stands for. */
export function refusalCode(error: BridgeError): string | undefined {
  return (error.cause as Partial<Refusal> | undefined)?.code;
}
