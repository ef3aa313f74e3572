/** The address of a store, as a person or a component configures it. */
import { BridgeError } from "./errors";

export interface Endpoint {
  url: URL;
  /** Without the brackets of an IPv6 address. */
  hostname: string;
}

/**
 * Bodies are not signed, so only TLS protects them. Plain HTTP is for loopback addresses alone.
 * @param vendor named in the error: `S3`, `OSS`
 * @throws BridgeError `ConfigInvalid` for an endpoint that is not `https://host[:port]`.
 */
export function parseEndpoint(vendor: string, endpoint: string): Endpoint {
  let url: URL | undefined;
  try {
    url = new URL(endpoint);
  } catch {
    url = undefined;
  }
  const hostname = url?.hostname.replace(/^\[|\]$/g, "") ?? "";
  const loopback = hostname === "127.0.0.1" || hostname === "::1" || hostname === "localhost";
  const secure = url?.protocol === "https:" || (url?.protocol === "http:" && loopback);
  if (url === undefined || !secure || url.pathname !== "/" || url.search !== "" || url.username !== "")
    throw new BridgeError(
      "ConfigInvalid",
      "endpoint",
      `the ${vendor} endpoint ${JSON.stringify(endpoint)} must be https://host[:port]`,
    );
  return { url, hostname };
}
