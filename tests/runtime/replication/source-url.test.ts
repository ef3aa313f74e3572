import type { LookupAddress } from "node:dns";
import fc from "fast-check";
import type { AllowedSources } from "../../../runtime/protocol/env";
import { createSourceUrlParser, isPublicAddress, publicLookup, type ResolveAll } from "../../../runtime/replication/source-url";
import { isBridgeError } from "../../../runtime/stores/errors";
import type { ObjectStore } from "../../../runtime/stores/object-store";
import { encodeOssKey } from "../../../runtime/stores/oss/sign";
import { createOssStore } from "../../../runtime/stores/oss/store";
import { createS3Store } from "../../../runtime/stores/s3/store";

const HOST = "https://photos.s3.us-east-1.amazonaws.com";
const LOCAL = "https://127.0.0.1:4666";
const parse = createSourceUrlParser([
  { origin: HOST, pathPrefix: "/" },
  { origin: LOCAL, pathPrefix: "/photos/" },
]);

describe("read to the letter, when the path names the key exactly", () => {
  test.each([
    [HOST, "/a?X-Amz-Signature=1", "a"],
    [HOST, "/a//b/./c/../d?X-Amz-Date=1&X-Amz-Expires=%2F", "a//b/./c/../d"],
    [HOST, "//leading", "/leading"],
    [HOST, "/dir/", "dir/"],
    [HOST, "/%E4%B8%AD%E6%96%87/%20a%2Bb%25", "\u4e2d\u6587/ a+b%"],
    [HOST, "/%e4%b8%ad", "\u4e2d"],
    [HOST, "/a%5Cb", "a\\b"],
    [HOST, "/a%252e%252e/b", "a%2e%2e/b"],
    [HOST, "/..a/a../.../%2e%2e%2e", "..a/a../.../..."],
    [HOST, "/../x", "../x"],
    [HOST, "/..", ".."],
    [HOST, "/.", "."],
    [HOST, "/a%0Ab", "a\nb"],
    [HOST, "/a!'()*~b", "a!'()*~b"],
    [LOCAL, "/photos/a/../b", "a/../b"],
    [LOCAL, "/photos/a//b/..", "a//b/.."],
    [LOCAL, "/photos//a", "/a"],
    [LOCAL, "/photos/photos/a", "photos/a"],
  ])("%s%s", (origin, path, key) => {
    expect(parse(origin + path, key)).toEqual({ origin, path });
  });
});

describe("a URL of another key than its notice is refused", () => {
  test.each([
    ["another key", HOST, "/public/hello", "secret/payroll"],
    ["a longer key", HOST, "/ab", "a"],
    ["a shorter key", HOST, "/a", "ab"],
    ["a slash more", HOST, "/a/", "a"],
    ["a leading slash more", HOST, "//a", "a"],
    ["capitals", HOST, "/A", "a"],
    ["dots that lead to the key", HOST, "/x/../a", "a"],
    ["dots that lead away from the key", HOST, "/a", "x/../a"],
    ["a double slash", HOST, "/a//b", "a/b"],
    ["decoded twice", HOST, "/a%2520b", "a b"],
    ["not decoded", HOST, "/a%20b", "a%20b"],
    ["a plus, which S3 takes for a space", HOST, "/a+b", "a+b"],
    ["a plus for a space", HOST, "/a+b", "a b"],
    ["invalid UTF-8", HOST, "/%FF", "\ufffd"],
    ["overlong UTF-8", HOST, "/%C0%AFa", "/a"],
    ["half a character", HOST, "/%E4%B8", "\ufffd"],
    ["an encoded surrogate", HOST, "/%ED%A0%80", "\ud800"],
    ["the replacement of a surrogate", HOST, "/%EF%BF%BD", "\ud800"],
    ["another normal form", HOST, "/%C3%A9", "e\u0301"],
    ["a percent sign alone", HOST, "/a%", "a%"],
    ["a percent sign before no digits", HOST, "/a%zz", "a%zz"],
    ["an encoded NUL at the end", HOST, "/a%00", "a"],
    ["the prefix in the key", LOCAL, "/photos/a", "photos/a"],
    ["the prefix twice", LOCAL, "/photos/photos/a", "a"],
    ["no key", LOCAL, "/photos/", "a"],
  ])("%s", (_name, origin, path, key) => {
    const error = thrownBy(() => parse(`${origin}${path}?X-Amz-Signature=1`, key));
    expect(isBridgeError(error, "Invalid")).toBe(true);
    expect(String(error)).toMatch(/it names another key than its notice$/);
  });

  test("over any two keys", () => {
    const keys = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(keys, keys, (one, other) => {
        fc.pre(one !== other);
        const path = encodeOssKey(one);
        expect(parse(`${HOST}/${path}`, one).path).toBe(`/${path}`);
        expect(() => parse(`${HOST}/${path}`, other)).toThrow(/another key/);
      }),
    );
  });
});

describe("the query reads the current object and nothing else", () => {
  test.each([
    "versionId=v1",
    "versionId=null",
    "partNumber=1",
    "response-content-type=text/html",
    "response-cache-control=no-store",
    "x-oss-process=image/resize,w_10",
    "x-oss-traffic-limit=819200",
    "acl",
    "acl=",
    "tagging",
    "uploads",
    "uploadId=1",
    "torrent",
    "legal-hold",
    "retention",
    "attributes",
    "select&select-type=2",
    "restore",
    "symlink",
    "objectMeta",
    "list-type=2",
    "x-id=ListObjectsV2",
    "x-amz-checksum-mode=DISABLED",
    "VersionId=v1",
    "version%49d=v1",
    "%76ersionId=v1",
    "x=1?versionId=v1",
    "",
  ])("%j is refused before and after the signature", (parameter) => {
    for (const query of [`X-Amz-Signature=1&${parameter}`, `${parameter}&X-Amz-Signature=1`])
      expect(() => parse(`${HOST}/a?${query}`, "a")).toThrow(/a parameter that is not part of a signature/);
  });

  // The vendors' own examples of presigned URLs, by signature version.
  test.each([
    [
      "S3 V4",
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=1&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Security-Token=t&X-Amz-Signature=s",
    ],
    ["S3 V4A", "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Region-Set=us-west-1&X-Amz-Credential=A&X-Amz-Signature=s"],
    ["S3 V2", "AWSAccessKeyId=A&Signature=s%3D&Expires=1141889120&x-amz-security-token=t"],
    ["the AWS SDK", "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Signature=s&x-amz-checksum-mode=ENABLED&x-id=GetObject"],
    [
      "OSS V4",
      "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=A&x-oss-date=1&x-oss-expires=86400&x-oss-additional-headers=host&x-oss-security-token=t&x-oss-signature=s",
    ],
    ["OSS V1", "Expires=1141889120&OSSAccessKeyId=A&Signature=s%3D&security-token=t"],
  ])("%s", (_name, query) => {
    expect(parse(`${HOST}/a?${query}`, "a").path).toBe(`/a?${query}`);
  });
});

describe("the presigners of this repository", () => {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "s", sessionToken: "t+/=" };
  const s3 = (bucket: string, endpoint?: string) =>
    createS3Store({ bucket, region: "us-east-1", credentials: () => credentials, endpoint });
  const oss = (endpoint?: string) =>
    createOssStore({
      bucket: "photos",
      region: "cn-shanghai",
      versioned: true,
      endpoint,
      credentials: async () => ({ accessKeyId: "LTAIEXAMPLE", accessKeySecret: "s", securityToken: "t+/=" }),
    });
  const cases: [string, ObjectStore, AllowedSources[number]][] = [
    ["S3, virtual host", s3("photos"), { origin: HOST, pathPrefix: "/" }],
    ["S3, a bucket with dots", s3("my.photos"), { origin: "https://s3.us-east-1.amazonaws.com", pathPrefix: "/my.photos/" }],
    ["S3, an endpoint of its own", s3("photos", LOCAL), { origin: LOCAL, pathPrefix: "/photos/" }],
    ["OSS, virtual host", oss(), { origin: "https://photos.oss-cn-shanghai.aliyuncs.com", pathPrefix: "/" }],
    [
      "OSS, accelerated",
      oss("https://oss-accelerate.aliyuncs.com"),
      { origin: "https://photos.oss-accelerate.aliyuncs.com", pathPrefix: "/" },
    ],
    ["OSS, an address", oss(LOCAL), { origin: LOCAL, pathPrefix: "/photos/" }],
  ];
  const keys = [
    "a",
    "a/../b",
    "a//b/./c",
    "dir/",
    "a b+c%20&=?#;:@$,!'()*~",
    "\u4e2d\u6587/\ud83d\ude00",
    "a%2e%2e/b",
    "a\nb\tc",
  ];

  test.each(cases)("%s: each key passes for itself alone", async (_name, store, source) => {
    const parseOne = createSourceUrlParser([source]);
    for (const key of keys) {
      const url = await store.presignGet(key, { expiresInSeconds: 60 });
      expect(parseOne(url, key)).toEqual({ origin: source.origin, path: url.slice(source.origin.length) });
      expect(() => parseOne(url, `${key}x`)).toThrow(/another key/);
    }
  });
});

describe("refused, with a reason that shows nothing of the URL", () => {
  const HOSTNAME = "photos.s3.us-east-1.amazonaws.com";
  test.each([
    ["http", `http://${HOSTNAME}/a`, /not https/],
    ["capitals in the scheme", `HTTPS://${HOSTNAME}/a`, /not https/],
    ["no scheme", `//${HOSTNAME}/a`, /not https/],
    ["a file", "file:///etc/passwd", /not https/],
    ["an empty text", "", /not https/],
    ["leading space", ` ${HOST}/a`, /not https/],
    ["another host", "https://evil.example.com/a", /host and port/],
    ["a host that begins alike", `${HOST}.evil.example.com/a`, /host and port/],
    ["a host that ends alike", `https://evil-${HOSTNAME}/a`, /host and port/],
    ["the right host as user info", `${HOST}@evil.example.com/a`, /user info/],
    ["user info before the right host", `https://user:word@${HOSTNAME}/a`, /user info/],
    ["empty user info", `https://@${HOSTNAME}/a`, /user info/],
    ["the right host in the path", `https://evil.example.com/${HOST}/a`, /host and port/],
    ["the default port", `${HOST}:443/a`, /host and port/],
    ["another port", `${HOST}:8443/a`, /host and port/],
    ["no port where one is configured", "https://127.0.0.1/photos/a", /host and port/],
    ["the address written otherwise", "https://127.1:4666/photos/a", /host and port/],
    ["the address as a number", "https://2130706433:4666/photos/a", /host and port/],
    ["capitals in the host", `https://Photos.s3.us-east-1.amazonaws.com/a`, /host and port/],
    ["a trailing dot", `https://${HOSTNAME}./a`, /host and port/],
    ["an encoded host", "https://photos%2es3.us-east-1.amazonaws.com/a", /host and port/],
    ["an international host", "https://ph\u043etos.s3.us-east-1.amazonaws.com/a", /percent-encoded/],
    ["an international host in ASCII", "https://xn--phtos-jye.s3.us-east-1.amazonaws.com/a", /host and port/],
    ["a backslash before the host's end", `https://evil.example.com\\@${HOSTNAME}/a`, /backslash/],
    ["a backslash in the path", `${HOST}/a\\b`, /backslash/],
    ["a fragment", `${HOST}/a#b`, /fragment/],
    ["a fragment instead of a path", `${HOST}#/a`, /fragment/],
    ["a question mark right after the host", `${HOST}?/a`, /no path/],
    ["no path", HOST, /no path/],
    ["no host", "https:///a", /host and port/],
    ["a tab", `${HOST}/a\tb`, /percent-encoded/],
    ["a line break", `${HOST}/a\r\nx-amz-acl: public`, /percent-encoded/],
    ["a space", `${HOST}/a b`, /percent-encoded/],
    ["NUL", `${HOST}/a\u0000`, /percent-encoded/],
    ["raw text beyond ASCII", `${HOST}/中`, /percent-encoded/],
    ["encoded dots", `${HOST}/a/%2e%2e/b`, /hides a dot segment/],
    ["half-encoded dots", `${HOST}/a/.%2E/b`, /hides a dot segment/],
    ["one encoded dot", `${HOST}/a/%2e/b`, /hides a dot segment/],
    ["an encoded slash", `${LOCAL}/photos/..%2Fother/a`, /hides a dot segment or a slash/],
    ["another bucket", `${LOCAL}/other/a`, /outside the configured source bucket/],
    ["a bucket that begins alike", `${LOCAL}/photos2/a`, /outside the configured source bucket/],
    ["the bucket itself", `${LOCAL}/photos?list-type=2`, /outside the configured source bucket/],
    ["dots that climb out", `${LOCAL}/photos/../other/a`, /outside the configured source bucket/],
    ["dots that climb out over a double slash", `${LOCAL}/photos//../other/a`, /outside the configured source bucket/],
    ["dots that climb to the bucket itself", `${LOCAL}/photos/a/../../photos`, /outside the configured source bucket/],
    ["dots that climb out and come back", `${LOCAL}/photos/../photos/a`, /outside the configured source bucket/],
    ["the dots alone", `${LOCAL}/photos/..`, /outside the configured source bucket/],
    ["a double slash before the bucket", `${LOCAL}//photos/a`, /outside the configured source bucket/],
  ])("%s", (_name, url, reason) => {
    const error = thrownBy(() => parse(url, "a"));
    // Another host can be that of a setting that one side has and the other does not have yet.
    expect(isBridgeError(error, String(reason) === "/host and port/" ? "HostRefused" : "Invalid")).toBe(true);
    expect(String(error)).toMatch(reason);
    expect(String(error)).not.toMatch(/evil|photos|127|other/);
  });
});

test.each([
  "https://Photos.example.com",
  "https://photos.example.com.",
  "https://photos.example.com:443",
  "https://ph\u043etos.example.com",
  "https://127.1",
  "https://user@example.com",
  "http://example.com",
  "https://example.com/",
])("the configured origin %p could never match and is refused by name", (origin) => {
  const error = thrownBy(() => createSourceUrlParser([{ origin, pathPrefix: "/" }]));
  expect(isBridgeError(error, "ConfigInvalid")).toBe(true);
  expect(String(error)).toContain(JSON.stringify(origin));
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("public addresses", () => {
  test.each([
    ["52.216.1.1", true],
    ["8.8.8.8", true],
    ["2600:1f18::1", true],
    ["::ffff:52.216.1.1", true],
    ["127.0.0.1", false],
    ["127.255.255.254", false],
    ["0.0.0.0", false],
    ["10.0.0.1", false],
    ["172.16.0.1", false],
    ["172.31.255.255", false],
    ["192.168.1.1", false],
    ["169.254.169.254", false],
    ["169.254.170.2", false],
    ["100.64.0.1", false],
    ["100.100.100.200", false],
    ["168.63.129.16", false],
    ["192.0.0.192", false],
    ["198.18.0.1", false],
    ["224.0.0.1", false],
    ["240.0.0.1", false],
    ["255.255.255.255", false],
    ["::", false],
    ["::1", false],
    ["fe80::1", false],
    ["fc00::1", false],
    ["fd00:ec2::254", false],
    ["fec0::1", false],
    ["ff02::1", false],
    ["2001:db8::1", false],
    ["2002:7f00:1::", false],
    ["64:ff9b::7f00:1", false],
    ["::ffff:127.0.0.1", false],
    ["::ffff:a9fe:a9fe", false],
    ["::ffff:100.100.100.200", false],
    ["fe80::1%eth0", false],
    ["localhost", false],
    ["", false],
  ])("%p is public: %p", (address, expected) => {
    expect(isPublicAddress(address)).toBe(expected);
  });

  function lookup(answer: LookupAddress[] | NodeJS.ErrnoException, all: boolean): Promise<unknown[]> {
    const resolve: ResolveAll = (_hostname, _options, callback) => {
      if (answer instanceof Error) callback(answer, []);
      else callback(null, answer);
    };
    return new Promise((done) => publicLookup(resolve)("bucket.example.com", { all }, (...result: unknown[]) => done(result)));
  }

  const PUBLIC = { address: "52.216.1.1", family: 4 };
  const PUBLIC_6 = { address: "2600:1f18::1", family: 6 };
  const PRIVATE = { address: "10.0.0.1", family: 4 };

  test("returns public addresses, one or all as asked", async () => {
    expect(await lookup([PUBLIC, PUBLIC_6], true)).toEqual([null, [PUBLIC, PUBLIC_6]]);
    expect(await lookup([PUBLIC_6, PUBLIC], false)).toEqual([null, PUBLIC_6.address, 6]);
  });

  test.each([
    ["only a private one", [PRIVATE]],
    ["a private one after a public one", [PUBLIC, PRIVATE]],
    ["a private one before a public one", [PRIVATE, PUBLIC]],
    ["loopback behind IPv6", [PUBLIC, { address: "::1", family: 6 }]],
    ["none", []],
  ])("%s refuses the name, whichever form is asked for", async (_name, addresses) => {
    for (const all of [true, false]) {
      const [error] = await lookup(addresses, all);
      expect(isBridgeError(error, "Invalid")).toBe(true);
      expect(String(error)).not.toMatch(/10\.0|example/);
    }
  });

  test("looks up every address even when one is wanted", async () => {
    const asked: boolean[] = [];
    const resolve: ResolveAll = (_hostname, { all }, callback) => {
      asked.push(all);
      callback(null, [PUBLIC]);
    };
    await new Promise((done) => publicLookup(resolve)("bucket.example.com", { all: false }, done));
    expect(asked).toEqual([true]);
  });

  test("a name that does not resolve stays that error", async () => {
    const notFound = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
    expect((await lookup(notFound, true))[0]).toBe(notFound);
  });
});
