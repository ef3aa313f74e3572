import type { SeenRequest, TlsProxy, Treatment } from "./tls-proxy";

/** Treats the first request that matches. Resolves when that request arrives. */
export function treatOnce(
  proxy: TlsProxy,
  matches: (request: SeenRequest) => boolean,
  treat: () => Treatment | Promise<Treatment>,
): Promise<void> {
  return new Promise((resolve) => {
    let done = false;
    proxy.treat((request) => {
      if (done || !matches(request)) return undefined;
      done = true;
      resolve();
      return treat();
    });
  });
}

export interface Stop {
  /** Resolves when the request arrives. */
  reached: Promise<void>;
  /** Releases the request. */
  release(): void;
}

/** Stops the first request that matches until `release`. */
export function stopAt(
  proxy: TlsProxy,
  matches: (request: SeenRequest) => boolean,
  how: (until: Promise<void>) => Treatment,
): Stop {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { reached: treatOnce(proxy, matches, () => how(released)), release };
}
