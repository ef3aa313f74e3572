import type { TlsProxy } from "./tls-proxy";

/** The results that the receiver answered for a key, in order, as they went over the wire. */
export function receiptsFor(door: TlsProxy, key: string): string[] {
  return door.exchanges
    .filter(({ status }) => status === 200)
    .flatMap(({ json }) => (JSON.parse(json) as { receipts: { key: string; result: string }[] }).receipts)
    .filter((receipt) => receipt.key === key)
    .map(({ result }) => result);
}
