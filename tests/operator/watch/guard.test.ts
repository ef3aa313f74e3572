import { createToken, OneTimeCodes, refusalOf, SECURITY_HEADERS, tokenRefusal } from "../../../operator/watch/guard";

const PORT = 4321;
const refused = (method: string, headers: Record<string, string>) => refusalOf({ method, headers }, PORT)?.reason;

test.each<[string, string, Record<string, string>]>([
  ["a person types the address", "GET", { host: "127.0.0.1:4321", "sec-fetch-site": "none" }],
  ["the page asks", "GET", { host: "127.0.0.1:4321", "sec-fetch-site": "same-origin" }],
  [
    "the page asks by its other name",
    "POST",
    { host: "localhost:4321", origin: "http://localhost:4321", "sec-fetch-site": "same-origin" },
  ],
  ["curl reads", "GET", { host: "127.0.0.1:4321" }],
])("served: %s", (_what, method, headers) => {
  expect(refused(method, headers)).toBeUndefined();
});

const OTHER_HOST = "the Host header names another host: use the printed address";
const OTHER_PAGE = "the request comes from another web page";

test.each<[string, string, Record<string, string>, string]>([
  ["a foreign name that leads to this machine", "GET", { host: "evil.example:4321" }, OTHER_HOST],
  ["another port of this machine", "GET", { host: "127.0.0.1:80" }, OTHER_HOST],
  ["an address without a port", "GET", { host: "127.0.0.1" }, OTHER_HOST],
  ["no host", "GET", {}, OTHER_HOST],
  ["another page fetches", "GET", { host: "127.0.0.1:4321", origin: "https://evil.example" }, OTHER_PAGE],
  ["another local server's page", "POST", { host: "127.0.0.1:4321", origin: "http://127.0.0.1:8080" }, OTHER_PAGE],
  ["the other name's page", "POST", { host: "127.0.0.1:4321", origin: "http://localhost:4321" }, OTHER_PAGE],
  ["a page without an origin", "POST", { host: "127.0.0.1:4321", origin: "null" }, OTHER_PAGE],
  ["a link or an image of another page", "GET", { host: "127.0.0.1:4321", "sec-fetch-site": "cross-site" }, OTHER_PAGE],
  [
    "a change that no page asked for",
    "PUT",
    { host: "127.0.0.1:4321" },
    "a request that changes something must come from the page: it has no Origin",
  ],
])("refused: %s", (_what, method, headers, reason) => {
  expect(refused(method, headers)).toBe(reason);
});

test("the token has 256 random bits, and only it opens the data", () => {
  const token = createToken();
  expect(Buffer.from(token, "base64url")).toHaveLength(32);
  expect(createToken()).not.toBe(token);
  expect(tokenRefusal({ headers: { authorization: `Bearer ${token}` } }, token)).toBeUndefined();
  for (const authorization of [undefined, "", "Bearer ", `Bearer ${token}x`, `bearer ${token}`, token])
    expect(tokenRefusal({ headers: authorization === undefined ? {} : { authorization } }, token)).toMatchObject({ status: 401 });
});

describe("a code of a browser's address", () => {
  let atMs = 0;
  const codes = () => new OneTimeCodes(() => atMs);
  beforeEach(() => {
    atMs = 1_000_000;
  });

  test("is valid once", () => {
    const own = codes();
    const code = own.create();
    expect(Buffer.from(code, "base64url")).toHaveLength(32);
    expect(own.use(`${code}x`)).toBe(false);
    expect(own.use(code)).toBe(true);
    expect(own.use(code)).toBe(false);
    expect(own.use("")).toBe(false);
  });

  test("is valid for a minute, and each for itself", () => {
    const own = codes();
    const [first, second] = [own.create(), own.create()];
    atMs += 59_999;
    expect(own.use(first)).toBe(true);
    atMs += 1;
    expect(own.use(second)).toBe(false);
  });
});

test("the policy allows the page's own files and nothing else", () => {
  const policy = SECURITY_HEADERS["content-security-policy"] ?? "";
  expect(policy).toMatch(/^default-src 'none'; /);
  expect(policy).not.toMatch(/unsafe|https?:|data:|\*/);
  expect(policy).toContain("frame-ancestors 'none'");
});
