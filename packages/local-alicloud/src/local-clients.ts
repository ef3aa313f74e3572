/**
 * Who may send requests to the servers of this machine. A browser lets every web page send requests to 127.0.0.1, and a foreign name can lead there (DNS
 * rebinding). Clients of the APIs are programs: they send no Origin, and the Host is this machine's or the vendor's.
 * https://fetch.spec.whatwg.org/#origin-header
 */
import type { IncomingHttpHeaders } from "node:http";

/** Names that lead to this machine whatever a resolver says. No name below an address can be resolved. */
const LOOPBACK = /^(?:\[::1\]|(?:[\w-]+\.)*(?:localhost|127\.0\.0\.1))$/;
/** Of the services, and of HTTP triggers. */
const VENDOR = /^(?:[\w-]+\.)+(?:aliyuncs\.com|fcapp\.run)$/;

const nameOf = (host: string): string => host.toLowerCase().replace(/:\d+$/, "");

/** Whether the Host is a name of this machine or of the vendor. */
export function isOwnHost(host: string | undefined): boolean {
  const name = nameOf(host ?? "");
  return LOOPBACK.test(name) || VENDOR.test(name);
}

/** Whether a page of another machine sends the request. Pages of this machine are the user's own. */
export function isForeignPage({ origin, "sec-fetch-site": site }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return site === "cross-site";
  const [, host] = /^https?:\/\/([^/]+)$/.exec(origin) ?? [];
  return host === undefined || !LOOPBACK.test(nameOf(host));
}

/** Why a server that no web page uses refuses the request. */
export function refusalOfApi(headers: IncomingHttpHeaders): string | undefined {
  const { host, origin, "sec-fetch-site": site } = headers;
  if (!isOwnHost(host)) return `the Host header names ${host ?? "no host"}: use the printed endpoint`;
  if (origin !== undefined || (site !== undefined && site !== "none")) return "requests of web pages are not served";
  return undefined;
}
