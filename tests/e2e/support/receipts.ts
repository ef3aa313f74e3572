import type { TlsProxy } from "./tls-proxy";

/** The receiver's results for a key, in the order in which they passed the proxy. */
export function receiptsFor(receiver: TlsProxy, key: string): string[] {
  return receiver.exchanges
    .filter(({ status }) => status === 200)
    .flatMap(({ json }) => (JSON.parse(json) as { receipts: { key: string; result: string }[] }).receipts)
    .filter((receipt) => receipt.key === key)
    .map(({ result }) => result);
}
