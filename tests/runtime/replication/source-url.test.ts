import { createSourceUrlParser } from "../../../runtime/replication/source-url";
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
