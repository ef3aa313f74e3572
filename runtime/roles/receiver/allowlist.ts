/** The address allowlist where the platform has none of its own. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { BridgeError } from "../../stores/errors";

/**
 * @param cidrs `203.0.113.7/32`, `2001:db8::/48`; an address alone means itself. Empty lets everyone in.
 * @throws BridgeError `ConfigInvalid` that names the entry.
 */
export function createAllowlist(cidrs: readonly string[]): (address: string | undefined) => boolean {
  if (cidrs.length === 0) return () => true;
  const ranges = cidrs.map(parseRange);
  return (address) => {
    // ipaddr reads `0177.1` and `1` as addresses; the platform never writes them so.
    if (address === undefined || isIP(address) === 0) return false;
    const parsed = ipaddr.process(address);
    return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
  };
}

function parseRange(cidr: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [address = "", bits, ...rest] = cidr.split("/");
  const family = isIP(address);
  const length = family === 4 ? 32 : 128;
  const prefixLength = bits === undefined ? length : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || rest.length > 0 || !(prefixLength <= length)) {
    throw new BridgeError(
      "ConfigInvalid",
      "allowlist",
      `allowedCidrs holds ${JSON.stringify(cidr)}: write an address or a range such as 203.0.113.7/32 or 2001:db8::/48`,
    );
  }
  return [ipaddr.parse(address), prefixLength];
}
