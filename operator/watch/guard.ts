/**
 * Decides which requests the page's server answers. A browser lets every web page send requests to 127.0.0.1, and a foreign name can lead to it
 * (DNS rebinding). So the Host and the Origin must be this server's own, and everything that holds data needs the token of this run.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** 256 random bits. */
export const createToken = (): string => randomBytes(32).toString("base64url");

export interface GuardedRequest {
  method: string;
  headers: IncomingHttpHeaders;
}

export interface Refusal {
  status: 401 | 403;
  reason: string;
}

const SAME_SITE: ReadonlySet<string> = new Set(["none", "same-origin"]);

/** Why the request is refused, whatever it asks for. */
export function refusalOf({ method, headers }: GuardedRequest, port: number): Refusal | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const host = headers.host?.toLowerCase() ?? "";
  if (!hosts.includes(host)) return { status: 403, reason: "the Host header names another host: use the printed address" };
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  const isForeign = (origin !== undefined && origin !== `http://${host}`) || (site !== undefined && !SAME_SITE.has(String(site)));
  if (isForeign) return { status: 403, reason: "the request comes from another web page" };
  if (method !== "GET" && method !== "HEAD" && origin === undefined)
    return { status: 403, reason: "a request that changes something must come from the page: it has no Origin" };
  return undefined;
}

/** How long a browser may take to open the page. */
const CODE_MS = 60_000;

/**
 * Codes that a browser exchanges for the token. Every user of the machine sees the arguments of its processes, so the address that a browser is started
 * with holds a code, which is of no use once the page is open.
 */
export class OneTimeCodes {
  private readonly open = new Map<string, number>();

  constructor(
    private readonly now: () => number,
    private readonly newCode: () => string = createToken,
  ) {}

  create(): string {
    const code = this.newCode();
    this.open.set(digest(code).toString("hex"), this.now() + CODE_MS);
    return code;
  }

  /** Whether the code is valid. It is not from then on. */
  use(code: string): boolean {
    // It is found by its digest, so that the time tells nothing about it.
    const key = digest(code).toString("hex");
    const until = this.open.get(key);
    this.open.delete(key);
    return until !== undefined && this.now() < until;
  }
}

/** The token or the code of the request. */
export const bearerOf = ({ headers }: Pick<GuardedRequest, "headers">): string =>
  /^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1] ?? "";

/** Why the request gets no data. The token is in no address and in no cookie, which other ports of this machine would get as well. */
export function tokenRefusal({ headers }: Pick<GuardedRequest, "headers">, token: string): Refusal | undefined {
  const given = bearerOf({ headers });
  // The digests have one length, so that the time tells nothing about the token.
  if (timingSafeEqual(digest(given), digest(token))) return undefined;
  return { status: 401, reason: "the token is missing or of another run: use the address that the command printed" };
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Of every answer. Scripts, styles and requests of other origins are blocked, and no other page can frame or open this one. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"],
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};
