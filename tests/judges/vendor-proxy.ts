/** An HTTP proxy that leads the vendor's host names to a local cloud: for clients that cannot be told where a host is, but know `http_proxy`. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { VendorCloud } from "./vendor-cloud";

export interface VendorProxy {
  /** The variables of a process, for Go, Python and Rust. */
  environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startVendorProxy({ ports }: Pick<VendorCloud, "ports">): Promise<VendorProxy> {
  const server = createServer((asked, answer) => forward(asked, answer, ports));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    environment: { http_proxy: url, HTTP_PROXY: url },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forward(asked: IncomingMessage, answer: ServerResponse, ports: VendorCloud["ports"]): void {
  const { hostname, pathname, search } = new URL(asked.url ?? "");
  const [, port] = Object.entries(ports).find(([host]) => hostname === host || hostname.endsWith(`.${host}`)) ?? [];
  if (port === undefined) {
    answer.writeHead(502).end(`no local host stands for ${hostname}`);
    return;
  }
  // The raw headers, because a signature covers them.
  const sent = request({ host: "127.0.0.1", port, method: asked.method, path: pathname + search, setHost: false });
  for (let at = 0; at < asked.rawHeaders.length; at += 2) {
    const [name = "", value = ""] = asked.rawHeaders.slice(at, at + 2);
    if (!/^proxy-/i.test(name)) sent.appendHeader(name, value);
  }
  sent.once("response", (response) => {
    answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
    pipeline(response, answer, () => undefined);
  });
  sent.once("error", () => answer.destroy());
  pipeline(asked, sent, () => undefined);
}
