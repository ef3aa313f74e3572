/** A name may be looked up to anything, so what it resolves to is checked at the moment of connecting. */
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { BridgeError } from "../stores/errors";

/** Public by range, yet a cloud's metadata or wire server. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(["100.100.100.200", "168.63.129.16", "169.254.169.254", "fd00:ec2::254"]);

/** Whether an address belongs to the public internet: not private, loopback, link-local, shared, multicast, reserved or a tunnel. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.process(address);
  return parsed.range() === "unicast" && !METADATA_ADDRESSES.has(parsed.toString());
}

export type ResolveAll = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for sockets. One address that is not public refuses the name as a whole: with several to choose from, which
 * one is connected to would be up to the name's owner.
 */
export function publicLookup(resolve: ResolveAll = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "", 0);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        const refusal = new BridgeError("Invalid", "read", "the presigned URL is refused: its host leads to a private address");
        return callback(refusal, "", 0);
      }
      // Node asks for all of them when it races address families, for one otherwise.
      if (options.all) (callback as unknown as (error: null, addresses: LookupAddress[]) => void)(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
