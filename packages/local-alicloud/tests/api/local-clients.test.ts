/** A web page can send requests to this machine, and a foreign name can lead to it. */
import { isForeignPage, isOwnHost } from "../../src/local-clients";
import { type ApiFixture, sendAsIs, startApi } from "./api-fixture";

test.each([
  ["127.0.0.1:4321", true],
  ["localhost:4321", true],
  ["LOCALHOST", true],
  ["[::1]:4321", true],
  ["bucket.localhost:4321", true],
  ["project.127.0.0.1:4321", true],
  ["project.cn-shanghai.log.aliyuncs.com", true],
  ["abcdef.cn-shanghai.fcapp.run", true],
  [undefined, false],
  ["", false],
  ["evil.example:4321", false],
  ["localhost.evil.example", false],
  ["127.0.0.1.evil.example", false],
  ["evilaliyuncs.com", false],
  ["evil.example/.localhost", false],
])("the Host %s is own: %s", (host, isOwn) => {
  expect(isOwnHost(host)).toBe(isOwn);
});

test.each([
  [{}, false],
  [{ "sec-fetch-site": "none" }, false],
  [{ "sec-fetch-site": "cross-site" }, true],
  [{ origin: "http://localhost:3000", "sec-fetch-site": "cross-site" }, false],
  [{ origin: "http://app.localhost" }, false],
  [{ origin: "null" }, true],
  [{ origin: "https://evil.example" }, true],
  [{ origin: "https://127.0.0.1.evil.example" }, true],
])("the headers %j are of a foreign page: %s", (headers, isForeign) => {
  expect(isForeignPage(headers)).toBe(isForeign);
});

describe("a control API", () => {
  let fixture: ApiFixture;
  beforeAll(async () => {
    fixture = await startApi();
  });
  afterAll(() => fixture.close());

  /** A form in a page can send this without a preflight. */
  const form = (headers: Record<string, string>) =>
    sendAsIs(fixture, {
      method: "POST",
      path: "/",
      headers: { host: new URL(fixture.origin).host, "content-type": "application/x-www-form-urlencoded", ...headers },
      body: "Action=CreateRole&Version=2015-05-01&AccessKeyId=id&Format=json",
    });

  test("reads the signature of a program's call", async () => {
    expect(await form({})).toMatchObject({ status: 400, code: "MissingSignature" });
  });

  test.each<[string, Record<string, string>]>([
    ["a form of another page", { origin: "https://evil.example" }],
    ["a form of a page without an origin", { origin: "null" }],
    ["a page of another port of this machine", { origin: "http://localhost:3000" }],
    ["an image of another page", { "sec-fetch-site": "cross-site" }],
    ["a name that leads to this machine", { host: "evil.example" }],
  ])("refuses %s before it reads anything", async (_what, headers) => {
    expect(await form(headers)).toMatchObject({ status: 403, code: "Forbidden", headers: { connection: "close" } });
  });
});
