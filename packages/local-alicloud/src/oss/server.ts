import type { IncomingMessage, ServerResponse } from "node:http";
import { assertSignedRegion, authenticate } from "./auth/authenticate";
import { corsHeaders } from "./cors";
import { type Entry, Exchange } from "./exchange";
import { Operation, type Service } from "./operation";
import { accessDenied, noSuchBucket, OssError } from "./oss-error";
import { isMainland } from "./replication/locations";
import { assertServesS3, findRoute, isFormUpload, levelOf, type Route } from "./router";
import { ossHeaders, speaksS3 } from "./s3-dialect";
import type { Bucket } from "./store/bucket";
import { type Target, targetOf } from "./target";

export interface Surroundings extends Service {
  /** Refuse data of buckets in the mainland by the public host names of OSS. */
  blockMainlandPublicData: boolean;
  /** Called for unexpected errors: a bug or a full disk. */
  onFailure: (error: unknown, requestId: string) => void;
}

async function serve(exchange: Exchange, surroundings: Surroundings): Promise<void> {
  const { request, method, query, entry } = exchange;
  const { store, domains, credentials } = surroundings;
  const addressed = { host: exchange.header("host"), rawPath: exchange.rawPath, domain: entry.domain };
  const target = targetOf(addressed, (domain) => domains.find(domain)?.name);
  const level = levelOf(target);
  if (speaksS3(request.headers, query)) {
    exchange.answersS3 = true;
    exchange.headers = ossHeaders(request.headers, level === "object");
  }
  const route = findRoute(exchange, level);
  if (exchange.answersS3) assertServesS3(route, exchange);
  const bucket = target.bucket === undefined || route.createsBucket ? undefined : store.find(target.bucket);
  // OSS looks for the bucket before it looks for the key that signed.
  const mayBeAbsent = route.createsBucket === true || route.mayCreateBucket === true;
  if (target.bucket !== undefined && bucket === undefined && !mayBeAbsent) throw noSuchBucket(target.bucket);
  if (bucket !== undefined) {
    if (method !== "OPTIONS") exchange.corsHeaders = corsHeaders(bucket.record, (name) => exchange.header(name), method);
    if (surroundings.blockMainlandPublicData) assertNotPublicInMainland(entry, target, bucket, route);
  }
  const isForm = isFormUpload(exchange, level);
  const signed = { method, query, rawPath: exchange.rawPath, headers: request.headers, ...target };
  // A form upload has its signature in the form; OSS does not look at one in the headers or the query, nor at that of a preflight.
  const isOpen = isForm || method === "OPTIONS";
  const caller = isOpen ? undefined : authenticate(signed, credentials, surroundings.now());
  if (entry.kind === "accelerate" && level !== "object" && !isForm)
    throw accessDenied("The accelerate endpoint serves object operations only: use the endpoint of the bucket's region.");
  // A new bucket is created in the region of the endpoint.
  const region = bucket?.record.region ?? entry.region;
  if (region !== undefined) assertSignedRegion(caller, region);
  if (bucket !== undefined) assertEndpoint(exchange, bucket);
  const { bucket: bucketName, key, domain } = target;
  await route.run(new Operation({ exchange, caller, service: surroundings, bucketName, bucket, key, domain }));
}

/**
 * For accounts that activated OSS on or after 2025-03-20.
 * https://www.alibabacloud.com/help/en/oss/user-guide/access-buckets-via-custom-domain-names
 * The documentation does not say whether acceleration is exempt. Here it is.
 */
function assertNotPublicInMainland({ kind }: Entry, { domain, key }: Target, { record }: Bucket, route: Route): void {
  const isData = key !== undefined || route.carriesData === true;
  if (kind !== "public" || domain !== undefined || !isData || !isMainland(record.region)) return;
  throw new OssError(
    400,
    "PublicEndpointForbidden",
    "Data of a bucket in the Chinese mainland cannot be accessed by the public endpoint: use a custom domain of the bucket.",
    { details: { BucketName: record.name } },
  );
}

/** @throws OssError when the bucket does not answer at this endpoint or over this connection */
function assertEndpoint({ entry, tlsVersion }: Exchange, { name, record }: Bucket): void {
  if (entry.kind === "accelerate" && !record.transferAcceleration)
    throw accessDenied(
      "Transfer acceleration is not enabled for this bucket: enable it or use the endpoint of the bucket's region.",
    );
  if (entry.kind !== "accelerate" && entry.domain === undefined && record.region !== entry.region)
    throw accessDenied(
      "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
      { Bucket: name, Endpoint: `oss-${record.region}.aliyuncs.com` },
    );
  const { tlsVersions } = record;
  if (tlsVersion !== undefined && tlsVersions !== undefined && !tlsVersions.includes(tlsVersion))
    throw accessDenied(`The bucket does not take ${tlsVersion}: it takes ${tlsVersions.join(", ")}.`);
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
      try {
        (exchange ?? new Exchange(Object.assign(request, { url: "/" }), response, entry, surroundings.now)).refuse(refusal);
      } catch (failure) {
        // Node sends no header with a character that HTTP forbids. That ends this connection, not the process.
        surroundings.onFailure(failure, exchange?.requestId ?? "");
        response.destroy();
      }
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
