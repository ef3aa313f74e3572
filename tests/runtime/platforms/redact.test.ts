import fc from "fast-check";
import { redact, redactText } from "../../../runtime/platforms/redact";

const SIGNATURE = "cba3e9c47e338f913b47597158fcceaf1ec05bc7507a86cf4ce4736d334289f0";
const TOKEN = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQD";

/** A text as it occurs, and what must not be left of it. */
const LEAKS: [name: string, text: string, secret: string][] = [
  ["a presigned URL of S3", `https://b.s3.amazonaws.com/k?X-Amz-Signature=${SIGNATURE}&X-Amz-Security-Token=${TOKEN}`, SIGNATURE],
  ["a presigned URL of OSS, V4", `https://b.oss-cn-shanghai.aliyuncs.com/k?x-oss-signature=${SIGNATURE}`, SIGNATURE],
  [
    "a presigned URL of OSS, V1",
    `https://b.oss.aliyuncs.com/k?OSSAccessKeyId=LTAI5tExampleKey&Expires=1&Signature=${SIGNATURE}`,
    SIGNATURE,
  ],
  ["the query of OSS, V1, alone", `k?OSSAccessKeyId=LTAI5tExampleKey&Expires=1&Signature=${SIGNATURE}`, SIGNATURE],
  [
    "Authorization, AWS V4",
    `Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301, SignedHeaders=host, Signature=${SIGNATURE}`,
    SIGNATURE,
  ],
  ["Authorization, OSS V4", `OSS4-HMAC-SHA256 Credential=LTAI/20260301/oss, Signature=${SIGNATURE}`, SIGNATURE],
  ["Authorization, OSS V1", `Authorization: OSS LTAI5tExampleKey:${SIGNATURE}`, SIGNATURE],
  ["Authorization, AWS V2", `authorization: AWS AKIAIOSFODNN7EXAMPLE:${SIGNATURE}`, SIGNATURE],
  ["x-oss-signature", `x-oss-signature=${SIGNATURE}`, SIGNATURE],
  ["x-oss-security-token as a header", `x-oss-security-token: ${TOKEN}`, TOKEN],
  ["security-token in a query", `security-token=${TOKEN}&x=1`, TOKEN],
  ["a token in JSON", `{"SecurityToken": "${TOKEN}"}`, TOKEN],
  ["a secret in JSON", `{"secretAccessKey":"${SIGNATURE}"}`, SIGNATURE],
  ["an access key id of AWS", "user AKIAIOSFODNN7EXAMPLE is denied", "AKIAIOSFODNN7EXAMPLE"],
  ["a temporary access key id of AWS", "key ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"],
  ["an access key id of Alibaba Cloud", "AccessKeyId LTAI5tExampleKeyOfUser", "LTAI5tExampleKeyOfUser"],
  ["a temporary access key id of Alibaba Cloud", "STS.NTExampleOfAnId is not allowed", "STS.NTExampleOfAnId"],
  ["a webhook of DingTalk", `https://oapi.dingtalk.com/robot/send?access_token=${SIGNATURE}`, SIGNATURE],
  ["its path alone", `POST /robot/send?access_token=${SIGNATURE}`, SIGNATURE],
  ["a webhook of WeCom", `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${SIGNATURE}`, SIGNATURE],
  ["a webhook of Lark", `https://open.feishu.cn/open-apis/bot/v2/hook/${SIGNATURE}`, SIGNATURE],
  ["a signing secret", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0", "whsec_c2Vj"],
];

test.each(LEAKS)("%s leaves nothing", (_name, text, secret) => {
  expect(redactText(text)).not.toContain(secret);
  expect(redactText(text)).toContain("[redacted]");
});

test.each([
  ["a buffer", Buffer.from(SIGNATURE)],
  ["an array of bytes", new Uint8Array(Buffer.from(SIGNATURE))],
  ["a view", new DataView(new Uint8Array(Buffer.from(SIGNATURE)).buffer)],
])("of %s only the size is kept", (_name, bytes) => {
  expect(redact({ body: bytes })).toEqual({ body: `[${SIGNATURE.length} bytes]` });
});

test("a value in an array is no less deep than one in an object", () => {
  let nested: unknown = "end";
  for (let depth = 0; depth < 100; depth++) nested = [nested];
  expect(JSON.stringify(redact(nested))).toContain("[deep]");
});

test("credentials leave nothing anywhere in a text", () => {
  const prose = fc.string({
    unit: fc.constantFrom("a", " ", "\n", "=", ":", "/", "?", "&", '"', "\u4e2d", "http://"),
    maxLength: 40,
  });
  fc.assert(
    fc.property(prose, fc.constantFrom(...LEAKS), prose, (before, [, text, secret], after) => {
      const redacted = redactText(`${before} ${text} ${after}`);
      return !redacted.includes(secret) && !redacted.includes(TOKEN);
    }),
  );
});

test("a text that is cut inside a credential shows no part of it behind the cut", () => {
  const text = `${"x".repeat(4_000)} Signature=${SIGNATURE.repeat(10)}`;
  expect(redactText(text)).toMatch(/Signature=\[redacted\]\.\.\.$/);
});

test.each(["http://", "Signature=", "https://a?", "AWS ", "AKIA", "whsec_", "security-", "x-oss-signature: "])(
  "256 KB of %j take milliseconds",
  (piece) => {
    const text = piece.repeat((256 * 1024) / piece.length);
    const startedMs = performance.now();
    expect(redactText(text).length).toBeLessThan(64 * 1024);
    expect(performance.now() - startedMs).toBeLessThan(500);
  },
);

test.each([
  "the signature does not fit: compare both clocks",
  "bad-signature: see above",
  "S3 answered put with AccessDenied (HTTP 403, request 4442587FB7D0A2F9)",
  "https://b.s3.amazonaws.com/a/key",
])("%j stays as it is", (text) => {
  expect(redactText(text)).toBe(text);
});
