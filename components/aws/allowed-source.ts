/** Where presigned URLs of a bucket point, told from the domain name that the provider reports for it. */

export interface AllowedSource {
  origin: string;
  pathPrefix: string;
}

/**
 * - `<bucket>.s3.<region>.<suffix>`: the bucket is in the host, every path is its.
 * - The same with a dot in the bucket's name: no certificate covers that host, so the SDK puts the bucket into the path.
 * - `host[:port]/<bucket>` of an S3-compatible endpoint: the bucket is in the path.
 */
export function allowedSourceOf(bucket: string, regionalDomainName: string): AllowedSource {
  const [host = "", ...path] = regionalDomainName.split("/");
  if (path.length > 0) return { origin: `https://${host}`, pathPrefix: `/${path.join("/")}/` };
  if (bucket.includes(".") && host.startsWith(`${bucket}.`))
    return { origin: `https://${host.slice(bucket.length + 1)}`, pathPrefix: `/${bucket}/` };
  return { origin: `https://${host}`, pathPrefix: "/" };
}
