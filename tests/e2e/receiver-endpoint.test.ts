/** Requests to the deployed receiver over TLS. It refuses bad ones with the right answer and writes nothing. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import {
  CreateBucketCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { ensureCertificate } from "../../local/aws/certificate";
import { clientConfig } from "../../local/aws/client-config";
import { DEFAULT_STATE_DIR } from "../../local/paths";
import type { Notice } from "../../runtime/protocol/messages";
import { generateSecret, parseSecrets, signRequest, TOLERANCE_SECONDS } from "../../runtime/protocol/signing";
import { REFUSALS, type RefusalCode } from "../../runtime/roles/receiver/endpoint";
import { changeFunctionConfig } from "./support/function-config";
import { readRawLog } from "./support/logs";
import { readParameter } from "./support/parameters";
import { START_MS, startTestStack, type TestStack, testOn } from "./support/stack";

/** Outside the sender's scope, so that only requests of this file replicate it. */
const KEY = "unwatched/report.txt";
const BODY = "what only a signed request may move";
const TOKEN_PARAMETER = "/crossborderbridge/dev/destination/token";

let stack: TestStack | undefined;
let token: string;
/** A notice that the receiver accepts. */
let validNotice: Extract<Notice, { state: "present" }>;

beforeAll(async () => {
  const started = await startTestStack({ settings: { "crossborderbridge:scope": { prefixes: ["watched/"] } } });
  stack = started;
  token = await readParameter(started.destination.cloud, TOKEN_PARAMETER);
  validNotice = await noticeOf(started, started.source.bucket, KEY);
}, START_MS);

afterAll(() => stack?.stop());

const onStack = testOn(() => stack);

onStack("a valid request is accepted, and its object is replicated", async (on) => {
  const replica = "unwatched/valid.txt";
  const notice = await noticeOf(on, on.source.bucket, replica);
  expect(await send(on, bodyOf([notice]))).toEqual({
    status: 200,
    body: { version: 1, receipts: [{ key: replica, result: "replicated", bytesMoved: BODY.length }] },
  });
  const { s3, bucket } = on.destination;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: replica }));
  expect(await Body?.transformToString()).toBe(BODY);
});

describe("signatures", () => {
  refused("none", "missing-signature", () => ({ headers: {} }));
  refused("an id alone", "missing-signature", () => ({ headers: { "webhook-id": "msg_1" } }));
  refused("of an unknown secret", "bad-signature", () => ({ secret: generateSecret() }));
  refused("cut short", "bad-signature", ({ headers }) => ({
    headers: { ...headers, "webhook-signature": headers["webhook-signature"]?.slice(0, -4) ?? "" },
  }));
  refused("of another scheme", "bad-signature", ({ headers }) => ({
    headers: { ...headers, "webhook-signature": (headers["webhook-signature"] ?? "").replace("v1,", "v2,") },
  }));
  refused("of a body that changed by a byte", "bad-signature", ({ body }) => ({
    body: body.replace('"version":1', '"version":2'),
  }));
  refused("of a body with a space more", "bad-signature", ({ body }) => ({ body: `${body} ` }));
  refused("with another id", "bad-signature", ({ headers }) => ({ headers: { ...headers, "webhook-id": "msg_other" } }));
  refused("with another timestamp", "bad-signature", ({ headers }) => ({
    headers: { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 1) },
  }));
  refused("with a timestamp in words", "malformed-timestamp", ({ headers }) => ({
    headers: { ...headers, "webhook-timestamp": "yesterday" },
  }));
  refused("too old", "too-old", () => ({ signedAtMs: Date.now() - (TOLERANCE_SECONDS + 60) * 1000 }));
  refused("of the future", "too-new", () => ({ signedAtMs: Date.now() + (TOLERANCE_SECONDS + 60) * 1000 }));
});

describe("bodies with a valid signature", () => {
  const deep = `${"[".repeat(64)}${"]".repeat(64)}`;
  refused("malformed JSON", "not-json", () => ({ sign: '{"version":1,' }));
  refused("no body", "not-json", () => ({ sign: "" }));
  refused("deeply nested JSON", "too-deep", () => ({ sign: deep }));
  refused("nested as deep as a stack goes", "too-deep", () => ({ sign: "[".repeat(1_000_000) }));
  refused("more than 4 MiB", "body-too-large", ({ body }) => ({ sign: body.padEnd(4 * 1024 ** 2 + 1) }));
  refused("101 notices", "too-many-notices", () => ({ sign: bodyOf(Array.from({ length: 101 }, () => validNotice)) }));
  refused("no notice", "not-a-request", () => ({ sign: bodyOf([]) }));
  refused("an unknown field", "not-a-request", () => ({ sign: bodyOf([validNotice], { debug: true }) }));
  refused("an unknown field inside a notice", "not-a-request", () => ({
    sign: bodyOf([{ ...validNotice, acl: "public-read" } as Notice]),
  }));
  refused("another version", "not-a-request", () => ({ sign: bodyOf([validNotice], { version: 2 }) }));
  refused("a key of 1,025 bytes", "not-a-request", () => ({ sign: bodyOf([{ ...validNotice, key: "k".repeat(1025) }]) }));
  refused("a list", "not-a-request", () => ({ sign: "[]" }));
  refused("another bridge", "other-bridge", () => ({ sign: bodyOf([validNotice], { bridgeId: "another-bridge" }) }));
});

const HOST = "its host and port are not those of the configured source";

describe("presigned URLs in a valid request", () => {
  const url = (change: (url: string) => string) => () => change(validNotice.url);
  const host = (to: string) => url((from) => from.replace(/^https:\/\/[^/]+/, to));

  rejected("of another host", host("https://attacker.example"), HOST);
  rejected("of the same host by another name", host("https://localhost"), HOST);
  rejected("of another port", host("https://127.0.0.1:9"), HOST);
  rejected("of a private address", host("https://10.0.0.1"), HOST);
  rejected("of the metadata service", () => "https://169.254.169.254/latest/meta-data/iam/security-credentials/", HOST);
  rejected("of a private IPv6 address", host("https://[fd00::1]"), HOST);
  rejected(
    "over http",
    url((from) => from.replace("https:", "http:")),
    "it is not https",
  );
  rejected("of a file", () => "file:///etc/passwd", "it is not https");
  rejected(
    "with the host as user info",
    url((from) => from.replace(/^(https:\/\/[^/]+)/, "$1@attacker.example")),
    "it carries user info",
  );
  rejected(
    "with user info before the host",
    url((from) => from.replace("https://", "https://user:pass@")),
    "it carries user info",
  );
  rejected(
    "with a backslash",
    url((from) => from.replace(/^(https:\/\/[^/]+)/, "$1\\@attacker.example")),
    "it holds a backslash",
  );
  rejected(
    "with a line break",
    url((from) => `${from}\r\nx-injected: 1`),
    "it holds characters that must be percent-encoded",
  );
  rejected(
    "out of the bucket by a dot segment",
    url((from) => from.replace(`/${KEY}`, "/../private/salaries.txt")),
    "its path is outside the configured source bucket",
  );

  rejected(
    "of another key of the bucket",
    url((from) => from.replace(`/${KEY}`, "/other")),
    "it names another key than its notice",
  );

  onStack("of another bucket of the same account is rejected, and nothing is written", async (on) => {
    await on.source.s3.send(new CreateBucketCommand({ Bucket: "private" }));
    const notice = await noticeOf(on, "private", "salaries.txt");
    await expectRejected(on, notice, "its path is outside the configured source bucket");
  });

  onStack("of a source that redirects is not followed, and nothing is written", async (on) => {
    const { certPath, keyPath } = await ensureCertificate(DEFAULT_STATE_DIR);
    const asked: string[] = [];
    const redirecting = createServer(
      { cert: readFileSync(certPath), key: readFileSync(keyPath) },
      ({ url: path = "" }, answer) => {
        asked.push(path);
        // Redirects to the object. A client that follows would write it.
        answer.writeHead(302, { location: validNotice.url }).end();
      },
    );
    redirecting.listen(0, "127.0.0.1");
    await once(redirecting, "listening");
    const origin = `https://127.0.0.1:${(redirecting.address() as AddressInfo).port}`;
    try {
      await changeReceiver(on, (config) => ({ ...config, allowedSources: [{ origin, pathPrefix: "/" }] }));
      const before = await versions(on);
      const { status, body } = await send(
        on,
        bodyOf([{ ...validNotice, url: `${origin}/${KEY}`, tagsUrl: `${origin}/${KEY}?tagging` }]),
      );
      expect({ status, asked }).toEqual({ status: 200, asked: [`/${KEY}`] });
      expect(body).toMatchObject({
        version: 1,
        receipts: [
          {
            key: KEY,
            result: "rejected",
            reason: expect.stringContaining("the source answered with a redirect, which is never followed (302)"),
          },
        ],
      });
      expect(await versions(on)).toEqual(before);
    } finally {
      const { endpoint } = on.source.cloud;
      await changeReceiver(on, (config) => ({
        ...config,
        allowedSources: [{ origin: endpoint, pathPrefix: `/${on.source.bucket}/` }],
      }));
      redirecting.closeAllConnections();
      redirecting.close();
    }
  });
});

onStack("a GET is refused", async (on) => {
  const before = await versions(on);
  const answer = await sendRaw(on, { method: "GET", headers: {} });
  // API Gateway answers, because there is no such method. https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
  expect(answer.status).toBe(403);
  expect(answer.text).toBe('{"message":"Missing Authentication Token"}');
  expect(await versions(on)).toEqual(before);
});

onStack("during a rotation both secrets are accepted, afterwards only the new one", async (on) => {
  const former = token;
  const next = generateSecret();
  const probe = async (secret: string) => (await send(on, bodyOf([validNotice], { bridgeId: "probe" }), { secret })).status;
  await rotate(on, `${next} ${former}`);
  expect([await probe(next), await probe(former)]).toEqual([REFUSALS["other-bridge"].status, REFUSALS["other-bridge"].status]);
  await rotate(on, next);
  expect([await probe(next), await probe(former)]).toEqual([REFUSALS["other-bridge"].status, REFUSALS["bad-signature"].status]);
  token = next;
});

onStack("the receiver's log has the refusals, but no secrets and no presigned URLs", async (on) => {
  const { headers } = signed(bodyOf([validNotice]));
  await send(on, bodyOf([{ ...validNotice, url: validNotice.url.replace("https:", "http:") }]));
  await send(on, bodyOf([validNotice]), { secret: generateSecret() });
  const log = (await readRawLog(on.destination.cloud, on.local.outputs.receiverFunctionName)).join("\n");
  expect(log).toContain('"code":"bad-signature"');
  expect(log).toContain("the presigned URL is refused: it is not https");
  expect(log).not.toContain(token);
  expect(log).not.toMatch(/X-Amz-(Signature|Credential|Security-Token)|whsec_/i);
  expect(log).not.toContain(headers["webhook-signature"]);
});

onStack("API Gateway refuses an address outside the allowlist, even with a valid signature", async (on) => {
  await on.local.up({ "crossborderbridge:allowedCidrs": ["203.0.113.0/24"] });
  const before = await versions(on);
  const answer = await sendRaw(on, signed(bodyOf([{ ...validNotice, key: "unwatched/never.txt" }])));
  expect(answer.status).toBe(403);
  // The text of AWS. The account is masked.
  const { Message: message } = JSON.parse(answer.text) as { Message?: string };
  expect(message).toMatch(/^User: anonymous is not authorized to perform: execute-api:Invoke on resource: /);
  expect(await versions(on)).toEqual(before);
});

interface Attempt {
  method?: string;
  headers?: Record<string, string>;
  /** Sent instead of the signed body. */
  body?: string;
  /** Signed and sent instead of the valid body. */
  sign?: string;
  secret?: string;
  signedAtMs?: number;
}

/** Adds a test: the receiver refuses the whole request. */
function refused(
  what: string,
  code: RefusalCode,
  change: (valid: { headers: Record<string, string>; body: string }) => Attempt,
): void {
  onStack(`${what}: refused, and nothing is written`, async (on) => {
    const body = bodyOf([validNotice]);
    const valid = signed(body);
    const attempt = change(valid);
    const sent = attempt.sign ?? body;
    const before = await versions(on);
    const answer = await sendRaw(on, { ...signed(sent, attempt), ...attempt });
    const { status, message } = REFUSALS[code];
    expect({ status: answer.status, text: answer.text }).toEqual({ status, text: JSON.stringify({ error: { code, message } }) });
    expect(await versions(on)).toEqual(before);
  });
}

/** Adds a test: the receiver refuses the only notice of a valid request. */
function rejected(what: string, url: () => string, reason: string): void {
  onStack(`${what}: refused, and nothing is written`, async (on) => {
    await expectRejected(on, { ...validNotice, url: url() }, reason);
  });
}

async function expectRejected(on: TestStack, notice: Notice, reason: string): Promise<void> {
  const before = await versions(on);
  const receipt = { key: notice.key, reason: `the presigned URL is refused: ${reason}` };
  // A host that differs can be that of a setting which reaches the two functions one after the other, so the key waits.
  const waits = { result: "waiting", waitsFor: "store", place: "source" };
  expect(await send(on, bodyOf([notice]))).toEqual({
    status: 200,
    body: { version: 1, receipts: [{ ...receipt, ...(reason === HOST ? waits : { result: "rejected" }) }] },
  });
  expect(await versions(on)).toEqual(before);
}

function bodyOf(notices: Notice[], more: Record<string, unknown> = {}): string {
  return JSON.stringify({ version: 1, bridgeId: "dev", notices, ...more });
}

function signed(
  body: string,
  { secret = token, signedAtMs = Date.now() }: Attempt = {},
): { headers: Record<string, string>; body: string } {
  const headers: Record<string, string> = signRequest({
    id: "msg_e2e",
    timestampMs: signedAtMs,
    body,
    secrets: parseSecrets(secret),
  });
  return { headers: { ...headers, "content-type": "application/json" }, body };
}

async function send(on: TestStack, body: string, attempt: Attempt = {}): Promise<{ status: number; body: unknown }> {
  const { status, text } = await sendRaw(on, signed(body, attempt));
  return { status, body: JSON.parse(text) };
}

async function sendRaw(
  on: TestStack,
  { method = "POST", headers = {}, body = "" }: Attempt,
): Promise<{ status: number; text: string }> {
  const call = request(on.local.outputs.receiverUrl, {
    method,
    headers: { ...headers, "content-length": Buffer.byteLength(body) },
    ca: readFileSync(on.local.clouds.caPath),
    agent: false,
  });
  call.end(body);
  const [answer] = await once(call, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode, text: Buffer.concat(chunks).toString() };
}

/** Puts an object and returns its notice, like the sender. */
async function noticeOf(on: TestStack, bucket: string, key: string): Promise<Extract<Notice, { state: "present" }>> {
  const { s3 } = on.source;
  const target = { Bucket: bucket, Key: key };
  await s3.send(new PutObjectCommand({ ...target, Body: BODY, ContentType: "text/plain" }));
  const { ETag = "", VersionId, LastModified = new Date(0) } = await s3.send(new HeadObjectCommand(target));
  return {
    key,
    url: await getSignedUrl(s3, new GetObjectCommand(target), { expiresIn: 600 }),
    tagsUrl: await getSignedUrl(s3, new GetObjectTaggingCommand(target), { expiresIn: 600 }),
    state: "present",
    snapshot: {
      ...(VersionId === undefined ? {} : { versionId: VersionId }),
      etag: ETag.replaceAll('"', ""),
      sizeBytes: BODY.length,
      lastModified: LastModified.toISOString(),
      headers: { contentType: "text/plain" },
      metadata: {},
      tags: {},
    },
  };
}

/** All versions and delete markers at the destination, with the bridge's records. */
async function versions({ destination: { s3, bucket } }: TestStack): Promise<string[]> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
  return [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => `${Key} ${VersionId}`).sort();
}

/** Writes a new token like an operator. Restarts the receiver instead of waiting a minute for its cache. */
async function rotate(on: TestStack, value: string): Promise<void> {
  const ssm = new SSMClient(clientConfig(on.destination.cloud));
  await ssm.send(new PutParameterCommand({ Name: TOKEN_PARAMETER, Value: value, Overwrite: true }));
  ssm.destroy();
  await changeReceiver(on, (config) => config);
}

type ReceiverChange = Parameters<typeof changeFunctionConfig<"receiver">>[3];

async function changeReceiver({ destination, local }: TestStack, change: ReceiverChange): Promise<void> {
  await changeFunctionConfig(destination.cloud, local.outputs.receiverFunctionName, "receiver", change);
}
