import { createHash, createHmac } from "node:crypto";
import { createIamSigner, parseInvoker } from "../../../../runtime/roles/sender/sign-iam";
import { VirtualTime } from "../../../support/virtual-time";

const clock = new VirtualTime(Date.parse("2026-03-01T12:34:56Z"));
const credentials = { accessKeyId: "AKIDEXAMPLE00000", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const body = '{"version":1,"text":"中文"}';
const headers = { "content-type": "application/json", "webhook-id": "msg_1" };

function sign(url: string, extra: { sessionToken?: string } = {}) {
  const signer = createIamSigner({ region: "cn-north-1", credentials: async () => ({ ...credentials, ...extra }), clock });
  return signer({ url: new URL(url), headers, body });
}

/** The algorithm as AWS documents it, independent of the library. */
function expectedSignature(path: string, host: string, signed: Record<string, string>): string {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const names = /SignedHeaders=([^,]+)/.exec(signed.authorization as string)?.[1]?.split(";") ?? [];
  const canonicalHeaders = names.map((name) => `${name}:${name === "host" ? host : signed[name]}\n`).join("");
  const canonical = ["POST", path, "", canonicalHeaders, names.join(";"), hash(body)].join("\n");
  const scope = "20260301/cn-north-1/execute-api/aws4_request";
  const key = hmac(
    hmac(hmac(hmac(`AWS4${credentials.secretAccessKey}`, "20260301"), "cn-north-1"), "execute-api"),
    "aws4_request",
  );
  return hmac(key, ["AWS4-HMAC-SHA256", "20260301T123456Z", scope, hash(canonical)].join("\n")).toString("hex");
}

test.each([
  [
    "https://abc.execute-api.cn-north-1.amazonaws.com.cn/prod/replicate",
    "/prod/replicate",
    "abc.execute-api.cn-north-1.amazonaws.com.cn",
  ],
  ["https://127.0.0.1:4667/_aws/execute-api/abc/prod/replicate", "/_aws/execute-api/abc/prod/replicate", "127.0.0.1:4667"],
])("%s is signed as AWS describes", async (url, path, host) => {
  const signed = await sign(url);
  expect(signed).toMatchObject({ ...headers, host, "x-amz-date": "20260301T123456Z" });
  expect(signed.authorization).toContain("Credential=AKIDEXAMPLE00000/20260301/cn-north-1/execute-api/aws4_request");
  expect(signed.authorization).toContain(`Signature=${expectedSignature(path, host, signed)}`);
});

test("the body's hash and the webhook headers are covered", async () => {
  const signed = await sign("https://api.example.com/x");
  const names = /SignedHeaders=([^,]+)/.exec(signed.authorization as string)?.[1]?.split(";");
  expect(names).toEqual(expect.arrayContaining(["content-type", "host", "webhook-id", "x-amz-content-sha256", "x-amz-date"]));
  expect(signed["x-amz-content-sha256"]).toBe(createHash("sha256").update(body).digest("hex"));
});

test("a session token is sent", async () => {
  expect(await sign("https://api.example.com/x", { sessionToken: "token" })).toMatchObject({ "x-amz-security-token": "token" });
});

describe("the invoker secret", () => {
  test("is read", () => {
    expect(parseInvoker(JSON.stringify(credentials))).toEqual(credentials);
  });

  test.each([
    ["not JSON", "AKIDEXAMPLE00000 very-secret-value"],
    ["a missing key", '{"accessKeyId":"AKIDEXAMPLE00000","secret":"very-secret-value"}'],
    ["a short key", '{"accessKeyId":"AKIDEXAMPLE00000","secretAccessKey":"very-secret"}'],
    ["an unknown field", JSON.stringify({ ...credentials, other: "very-secret-value" })],
    ["null", "null"],
  ])("%s: the error states the required form and never the value", (_name, text) => {
    let message = "";
    try {
      parseInvoker(text);
    } catch (error) {
      message = String((error as Error).stack);
    }
    expect(message).toMatch(/the invoker secret must be JSON of the form/);
    expect(message).not.toMatch(/very-secret|AKID|wJal/);
  });
});
