import type { LookupAddress } from "node:dns";
import { createSourceUrlParser, isPublicAddress, publicLookup, type ResolveAll } from "../../../runtime/replication/source-url";
import { isBridgeError } from "../../../runtime/stores/errors";

const HOST = "https://photos.s3.us-east-1.amazonaws.com";
const LOCAL = "https://127.0.0.1:4666";
const parse = createSourceUrlParser([
  { origin: HOST, pathPrefix: "/" },
  { origin: LOCAL, pathPrefix: "/photos/" },
]);

describe("read to the letter", () => {
  test.each([
    [HOST, "/a?X-Amz-Signature=1"],
    [HOST, "/a//b/./c/../d?x=1&y=%2F"],
    [HOST, "//leading"],
    [HOST, "/dir/"],
    [HOST, "/%E4%B8%AD%E6%96%87/%20a%2Bb%25"],
    [HOST, "/a%5Cb"],
    [HOST, "/a%252e%252e/b"],
    [HOST, "/..a/a../.../%2e%2e%2e"],
    [HOST, "/../x"],
    [HOST, "/a?b?c/../d"],
    [LOCAL, "/photos/"],
    [LOCAL, "/photos/a/../b"],
    [LOCAL, "/photos/a//b/.."],
  ])("%s%s", (origin, path) => {
    expect(parse(origin + path)).toEqual({ origin, path });
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
    ["a double slash before the bucket", `${LOCAL}//photos/a`, /outside the configured source bucket/],
  ])("%s", (_name, url, reason) => {
    const error = thrownBy(() => parse(url));
    expect(isBridgeError(error, "Invalid")).toBe(true);
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
