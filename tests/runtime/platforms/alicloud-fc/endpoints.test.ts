import { ENDPOINTS_VARIABLE, readEndpoints } from "../../../../runtime/platforms/alicloud-fc/endpoints";

const OOS = "oos.cn-shanghai.aliyuncs.com";

test("without the variable, hosts are the vendor's own", () => {
  expect(readEndpoints({})(OOS)).toBe("https://oos.cn-shanghai.aliyuncs.com");
});

test("with the variable, only its entries are used", () => {
  const originOf = readEndpoints({ [ENDPOINTS_VARIABLE]: `{"${OOS}":"https://localhost:41234"}` });
  expect(originOf(OOS)).toBe("https://localhost:41234");
  expect(() => originOf("fcv3.cn-shanghai.aliyuncs.com")).toThrow(
    /^CROSSBORDERBRIDGE_ENDPOINTS has no entry for fcv3\.cn-shanghai\.aliyuncs\.com$/,
  );
});

test.each([
  ["empty", "", /is not JSON/],
  ["no JSON", "{", /is not JSON/],
  ["a list", "[]", /must be an object/],
  ["a number for an origin", '{"a":1}', /must be an object/],
  ["http", `{"${OOS}":"http://localhost:1"}`, /has "http:\/\/localhost:1" for oos\.cn-shanghai\.aliyuncs\.com: it must be https/],
  ["a path", `{"${OOS}":"https://localhost:1/"}`, /must be https:\/\/host\[:port\]/],
  ["user info", `{"${OOS}":"https://me@localhost:1"}`, /must be https/],
  ["the default port", `{"${OOS}":"https://localhost:443"}`, /must be https/],
  ["no URL", `{"${OOS}":"localhost"}`, /must be https/],
])("%s is refused", (_name, text, problem) => {
  const read = () => readEndpoints({ [ENDPOINTS_VARIABLE]: text });
  expect(read).toThrow(problem);
  expect(read).toThrow(expect.objectContaining({ kind: "ConfigInvalid" }));
});
