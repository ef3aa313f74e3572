import type { IncomingMessage, ServerResponse } from "node:http";
import { assertSignedRegion, authenticate } from "./auth/authenticate";
import type { CredentialStore } from "./contracts";
import { type Entry, Exchange } from "./exchange";
import { Operation, type Service } from "./operation";
import { accessDenied, OssError } from "./oss-error";
import { findRoute, levelOf } from "./router";
import { targetOf } from "./target";

export interface Surroundings extends Service {
  credentials: CredentialStore;
  /** Called for unexpected errors: a bug or a full disk. */
  onFailure: (error: unknown, requestId: string) => void;
}

async function serve(exchange: Exchange, surroundings: Surroundings): Promise<void> {
  const { request, method, query, entry } = exchange;
  const target = targetOf(exchange.header("host"), exchange.rawPath);
  const now = surroundings.now();
  const caller = authenticate({ method, query, headers: request.headers, ...target }, surroundings.credentials, now);
  const level = levelOf(target);
  if (entry.kind === "accelerate" && level !== "object")
    throw accessDenied("The accelerate endpoint serves object operations only: use the endpoint of the bucket's region.");
  const route = findRoute(exchange, level);
  const bucket = target.bucket === undefined || route.createsBucket ? undefined : surroundings.store.find(target.bucket);
  // A new bucket is created in the region of the endpoint.
  const region = bucket?.record.region ?? entry.region;
  if (region !== undefined) assertSignedRegion(caller, region);
  if (bucket !== undefined && entry.kind === "accelerate" && !bucket.record.transferAcceleration)
    throw accessDenied(
      "Transfer acceleration is not enabled for this bucket: enable it or use the endpoint of the bucket's region.",
    );
  if (bucket !== undefined && entry.kind !== "accelerate" && bucket.record.region !== entry.region)
    throw accessDenied(
      "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
      { Bucket: bucket.name, Endpoint: `oss-${bucket.record.region}.aliyuncs.com` },
    );
  const { tlsVersion } = exchange;
  const tlsVersions = bucket?.record.tlsVersions;
  if (tlsVersion !== undefined && tlsVersions !== undefined && !tlsVersions.includes(tlsVersion))
    throw accessDenied(`The bucket does not take ${tlsVersion}: it takes ${tlsVersions.join(", ")}.`);
  await route.run(new Operation({ exchange, caller, service: surroundings, bucketName: target.bucket, bucket, key: target.key }));
}

/** The request listener of one endpoint. */
export function requestHandler(entry: Entry, surroundings: Surroundings) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const fail = (exchange: Exchange | undefined, error: unknown) => {
      if (response.headersSent || request.socket.destroyed) {
        // The client disconnected, or the answer cannot be completed. Closing the connection tells the client.
        response.destroy();
        return;
      }
      if (!(error instanceof OssError)) surroundings.onFailure(error, exchange?.requestId ?? "");
      const refusal =
        error instanceof OssError
          ? error
          : new OssError(500, "InternalError", "We encountered an internal error. Please try again.");
      (exchange ?? new Exchange(Object.assign(request, { url: "/" }), response, entry, surroundings.now)).refuse(refusal);
    };
    let exchange: Exchange | undefined;
    try {
      exchange = new Exchange(request, response, entry, surroundings.now);
      const started = exchange;
      serve(started, surroundings).catch((error: unknown) => fail(started, error));
    } catch (error) {
      fail(exchange, error);
    }
  };
}
