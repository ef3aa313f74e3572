/** Maps the vendor's host names to origins. An environment variable points them at another cloud, such as the local one. */
import * as z from "../../protocol/schema";
import { BridgeError } from "../../stores/errors";

export const ENDPOINTS_VARIABLE = "CROSSBORDERBRIDGE_ENDPOINTS";

const endpointsSchema = z.record(z.string(), z.string());

/** Returns the origin of a vendor's host name, `https://host[:port]`. */
export type OriginOf = (vendorHost: string) => string;

/**
 * Without the variable, every host is the vendor's own. With it, a host without an entry is an error: a request for another cloud must
 * never reach the vendor's.
 * @throws BridgeError `ConfigInvalid` that names the variable and the entry.
 */
export function readEndpoints(env: Readonly<Record<string, string | undefined>>): OriginOf {
  const text = env[ENDPOINTS_VARIABLE];
  if (text === undefined) return (vendorHost) => `https://${vendorHost}`;
  const origins = new Map(Object.entries(parse(text)));
  for (const [host, origin] of origins) assertOrigin(host, origin);
  return (vendorHost) => {
    const origin = origins.get(vendorHost);
    if (origin === undefined) throw invalid(`has no entry for ${vendorHost}`);
    return origin;
  };
}

function parse(text: string): Record<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid("is not JSON");
  }
  const parsed = endpointsSchema.safeParse(json);
  if (!parsed.success) throw invalid('must be an object of the form {"<vendor host>":"https://host[:port]"}');
  return parsed.data;
}

function assertOrigin(host: string, origin: string): void {
  if (URL.canParse(origin) && origin.startsWith("https://") && new URL(origin).origin === origin) return;
  throw invalid(`has ${JSON.stringify(origin)} for ${host}: it must be https://host[:port]`);
}

function invalid(what: string): BridgeError {
  return new BridgeError("ConfigInvalid", "endpoints", `${ENDPOINTS_VARIABLE} ${what}`);
}
