import { createOssStore } from "../../../../runtime/stores/oss/store";
import { collect } from "../../../conformance/object-store/context";
import { CREDENTIALS, FakeServer, fakeServer, ossStore, status } from "../fake-server";

const oss = fakeServer();

describe("signatures", () => {
  const nowMs = Date.parse("2026-01-02T03:04:05Z");

  test("are version 4 of the credentials of the moment, with their token", async () => {
    let turn = 0;
    const credentials = async () => ({ ...CREDENTIALS, accessKeyId: `AK${++turn}`, securityToken: `token${turn}` });
    const store = ossStore(oss, { credentials, now: () => nowMs });
    oss.answer(status(204), status(204));
    await store.delete("k");
    await store.delete("k");
    expect(oss.seen.map(({ headers }) => [headers["x-oss-date"], headers["x-oss-security-token"]])).toEqual([
      ["20260102T030405Z", "token1"],
      ["20260102T030405Z", "token2"],
    ]);
    expect(oss.seen[1]?.headers.authorization).toMatch(
      /^OSS4-HMAC-SHA256 Credential=AK2\/20260102\/cn-shanghai\/oss\/aliyun_v4_request,Signature=[0-9a-f]{64}$/,
    );
  });

  test("a clock that is off is learnt from OSS's refusal", async () => {
    oss.answer(
      status(403, { date: "Fri, 02 Jan 2026 04:04:05 GMT" }, "<Error><Code>RequestTimeTooSkewed</Code></Error>"),
      status(204),
    );
    await ossStore(oss, { now: () => nowMs }).delete("k");
    expect(oss.seen.map(({ headers }) => headers["x-oss-date"])).toEqual(["20260102T030405Z", "20260102T040405Z"]);
  });

  test("URLs use the endpoint for readers, sign no header and carry no version", async () => {
    const credentials = async () => ({ ...CREDENTIALS, securityToken: "t+/=" });
    const store = createOssStore({
      bucket: "bucket",
      region: "oss-cn-shanghai",
      versioned: false,
      credentials,
      endpoint: "https://oss-cn-shanghai-internal.aliyuncs.com",
      presignEndpoint: "https://oss-accelerate.aliyuncs.com",
      now: () => nowMs,
    });
    const url = new URL(await store.presignGet("a b/文+", { expiresInSeconds: 900 }));
    expect(url.origin).toBe("https://bucket.oss-accelerate.aliyuncs.com");
    expect(url.pathname).toBe("/a%20b/%E6%96%87%2B");
    const { "x-oss-signature": signature, ...rest } = Object.fromEntries(url.searchParams);
    expect(signature).toMatch(/^[0-9a-f]{64}$/);
    expect(rest).toEqual({
      "x-oss-credential": "LTAIEXAMPLE/20260102/cn-shanghai/oss/aliyun_v4_request",
      "x-oss-date": "20260102T030405Z",
      "x-oss-expires": "900",
      "x-oss-security-token": "t+/=",
      "x-oss-signature-version": "OSS4-HMAC-SHA256",
    });
  });

  test("calls about the bucket go to its own endpoint", async () => {
    const other = await new FakeServer().start();
    oss.answer();
    other.answer(status(200, {}, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"));
    await collect(ossStore(oss, { bucketEndpoint: other.endpoint }).list(""));
    expect([oss.seen.length, other.seen.length]).toEqual([0, 1]);
    await other.stop();
  });
});
