import { type FrontRequest, refusalOf } from "../../../local/cli/front-guard";

const S3 = { kind: "s3", port: 4567, bucket: "bucket", region: "us-east-1" } as const;
const OSS = { kind: "oss", port: 4567, bucket: "bucket", region: "cn-shanghai" } as const;
const SCOPE = "111111111111/20260301/us-east-1";
const signedFor = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=${SCOPE}/${service}/aws4_request, SignedHeaders=host, Signature=00`;
const presigned = (service: string) =>
  `/bucket/key?X-Amz-Credential=${encodeURIComponent(`${SCOPE}/${service}/aws4_request`)}&X-Amz-Signature=00`;

function request(headers: FrontRequest["headers"] = {}, rest: Partial<FrontRequest> = {}): FrontRequest {
  return {
    method: "GET",
    url: "/bucket/key",
    headers: { host: "127.0.0.1:4567", authorization: signedFor("s3"), ...headers },
    ...rest,
  };
}

test.each([
  ["a signed request", request(), S3],
  ["localhost", request({ host: "localhost:4567" }), S3],
  ["a presigned URL", request({ authorization: undefined }, { url: presigned("s3") }), S3],
  [
    "a presigned URL in the address bar of a browser",
    request({ authorization: undefined, "sec-fetch-site": "none" }, { url: presigned("s3") }),
    S3,
  ],
  ["a list", request({}, { url: "/bucket?list-type=2" }), S3],
  ["a key that begins with an underscore", request({}, { url: "/bucket/_a" }), S3],
  ["the list of buckets", request({}, { url: "/?x-id=ListBuckets" }), S3],
  ["the bucket as a host name", request({ host: "Bucket.localhost:4567" }, { url: "/key" }), S3],
  ["a key that is encoded", request({ host: "bucket.localhost:4567" }, { url: "/a%5Fb%2F_c%25" }), S3],
  ["OSS", request({ host: "bucket.localhost:4567", authorization: "OSS id:signature" }), OSS],
  ["the host name that ali-oss sends to an IP address", request({ host: "bucket.oss-cn-shanghai.aliyuncs.com" }), OSS],
])("%s is served", (_name, sent, front) => {
  expect(refusalOf(sent, front)).toBeUndefined();
});

test.each([
  ["the reset of the emulator", request({}, { method: "POST", url: "/_ministack/reset" }), /only the bucket bucket/],
  ["the same with slashes before it", request({}, { method: "POST", url: "//_ministack/reset" }), /only the bucket bucket/],
  [
    "the same by the bucket's host name",
    request({ host: "bucket.localhost:4567" }, { method: "POST", url: "/_ministack/reset" }),
    /in path style only/,
  ],
  ...["/%5Fministack/reset", "/%5fministack/reset", "/%255Fministack/reset", "/%2F_ministack/reset", "/_%6dinistack/reset"].map(
    (url): [string, FrontRequest, RegExp] => [
      `the same as ${url}`,
      request({ host: "bucket.localhost:4567" }, { method: "POST", url }),
      /in path style only/,
    ],
  ),
  ...["/health", "/v2/", "/%762/email/identities", "/Execute", "/v20180820/tags/arn", "/restapis/a/b/_user_request_/"].map(
    (url): [string, FrontRequest, RegExp] => [
      `${url}, a path of another service`,
      request({ host: "bucket.localhost:4567" }, { url }),
      /in path style only/,
    ],
  ),
  ["an encoded slash behind the bucket", request({}, { url: "/bucket%2F..%2F_ministack/reset" }), /only the bucket bucket/],
  [
    "two credentials, of which the last one is of S3",
    request({ authorization: `${signedFor("ssm")}, ${signedFor("s3").slice("AWS4-HMAC-SHA256 ".length)}` }),
    /only signed requests of S3/,
  ],
  [
    "a credential of S3 in the header and another one in the URL",
    request({}, { url: presigned("ssm") }),
    /only signed requests of S3/,
  ],
  [
    "two credentials in the URL",
    request(
      { authorization: undefined },
      { url: `${presigned("s3")}&x-amz-credential=${encodeURIComponent(`${SCOPE}/ssm/aws4_request`)}` },
    ),
    /only signed requests of S3/,
  ],
  [
    "a signature in what follows a second question mark",
    request(
      { authorization: undefined },
      { url: `${presigned("s3")}?&X-Amz-Credential=${encodeURIComponent(`${SCOPE}/ssm/aws4_request`)}` },
    ),
    /only signed requests of S3/,
  ],
  ["S3 Control", request({}, { url: "/v20180820/tags/arn" }), /only the bucket bucket/],
  ["a bucket that is not the front's", request({}, { url: "/bucket-2/key" }), /only the bucket bucket/],
  ["the form of a request to a proxy", request({}, { url: "http://127.0.0.1:4567/bucket/key" }), /names no path/],
  ["an unsigned request", request({ authorization: undefined }), /only signed/],
  [
    "SSM by its target",
    request({ "x-amz-target": "AmazonSSM.GetParameter" }, { method: "POST", url: "/" }),
    /only signed requests of S3/,
  ],
  [
    "SSM by its signature",
    request({ authorization: signedFor("ssm") }, { method: "POST", url: "/" }),
    /only signed requests of S3/,
  ],
  ["a presigned URL of STS", request({ authorization: undefined }, { url: presigned("sts") }), /only signed requests of S3/],
  ["a page of another origin", request({ origin: "https://evil.example" }), /web pages/],
  ["a page of no origin", request({ origin: "null" }), /web pages/],
  ["an image in another page", request({ "sec-fetch-site": "cross-site" }), /web pages/],
  ["a preflight", request({}, { method: "OPTIONS" }), /only GET/],
  ["a rebound name", request({ host: "evil.example:4567" }), /another host/],
  ["a rebound name that ends alike", request({ host: "evil.localhost:4567" }), /another host/],
  ["another port", request({ host: "127.0.0.1:80" }), /another host/],
  ["no host", request({ host: undefined }), /another host/],
])("%s is refused", (_name, sent, reason) => {
  expect(refusalOf(sent, S3)).toMatch(reason);
});

test("OSS: pages and foreign names are refused as well", () => {
  expect(refusalOf(request({ origin: "https://evil.example" }), OSS)).toMatch(/web pages/);
  for (const host of [
    "a.evil.example:4567",
    "evil.localhost:4567",
    "evil.oss-cn-shanghai.aliyuncs.com",
    "bucket.oss-us-west-1.aliyuncs.com",
  ])
    expect(refusalOf(request({ host }), OSS)).toMatch(/another host/);
});
