/** What a receiver's refusal means to the sender, in words for the operator who finds it in the dead letter. */
import { ReceiverUnreachable } from "../../protocol/ports";

/** Codes of the receiver itself, as opposed to the platform in front of it. Anything else in a body is not repeated. */
const CODE_PATTERN = /^[a-z-]{1,40}$/;

const ICP =
  "the platform refused the request before the receiver saw it: either the sender's address is not in allowedCidrs, or auth: iam lacks " +
  "the right to invoke, or, for a receiver in aws-cn with auth: token, its account has no ICP licence; auth: iam works without one";

const MEANING: Readonly<Record<string, string>> = {
  "address-not-allowed": "the sender's address is not in the receiver's allowedCidrs",
  "other-bridge": "the receiver belongs to another bridge: receiverUrl or bridgeId is wrong",
  "missing-signature": "the request arrived without its signature: something in between drops headers",
  "too-old": "the signature is too old: the sender's clock is behind the receiver's, or the request was held back",
  "too-new": "the sender's clock is ahead of the receiver's",
  "bad-signature": "the signing secrets of sender and receiver differ",
};

/** The error for a status that is not 200. */
export function refusalOf(status: number, body: string): ReceiverUnreachable {
  const code = codeIn(body);
  const meaning = code === undefined ? platformMeaning(status) : (MEANING[code] ?? code);
  const message = `the receiver answered ${status}${meaning === undefined ? "" : `: ${meaning}`}`;
  // The receiver and the platform refuse these before an attempt begins; a 5xx may come from an attempt that still runs.
  if (status === 400 || status === 413) return new ReceiverUnreachable(message, { attemptMayRun: false, retryable: false });
  // 401, 403, 404 and redirects are an operator's to mend. A bad deployment must not park everything at once, so they are asked for again.
  return new ReceiverUnreachable(message, { attemptMayRun: status >= 500 || status < 300, retryable: true });
}

function platformMeaning(status: number): string | undefined {
  if (status === 401 || status === 403) return ICP;
  if (status === 404) return "nothing is deployed at receiverUrl";
  if (status === 429) return "the request rate limit is reached";
  if (status >= 300 && status < 400) return "redirects are not followed: receiverUrl must be the endpoint itself";
  return undefined;
}

function codeIn(body: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // A platform's own page, not an answer of the receiver.
    return undefined;
  }
  const code = (json as { error?: { code?: unknown } } | null)?.error?.code;
  return typeof code === "string" && CODE_PATTERN.test(code) ? code : undefined;
}

/** OpenSSL's and Node's names for a certificate that does not hold; the request was not sent then. */
const CERTIFICATE_CODES = /^(CERT_|ERR_TLS_CERT|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** Whether it certainly failed before the request was sent. */
export function connectFailed(error: unknown): boolean {
  const { code, syscall, errors } = error as { code?: unknown; syscall?: unknown; errors?: unknown };
  if (syscall === "connect" || syscall === "getaddrinfo") return true;
  if (Array.isArray(errors) && errors.length > 0) return errors.every(connectFailed);
  return typeof code === "string" && (code === "UND_ERR_CONNECT_TIMEOUT" || CERTIFICATE_CODES.test(code));
}
