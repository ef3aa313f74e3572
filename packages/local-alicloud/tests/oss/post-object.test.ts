// biome-ignore-all lint/suspicious/noTemplateCurlyInString: OSS replaces these variables
/** Form uploads, as https://www.alibabacloud.com/help/en/oss/developer-reference/postobject describes them, signed by ali-oss. */
import { createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Client, EXPIRED, NOBODY, type OssFixture, ROOT, refusal, SHANGHAI, STS, startFixture } from "./oss-fixture";
import { ossDate, type RawAnswer, send, sendSigned } from "./raw-request";

const BUCKET = "forms-of-tests";
const BOUNDARY = "9431149156168";
let fixture: OssFixture;
let client: Client;
beforeAll(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
});
afterAll(() => fixture.stop());

type Fields = Record<string, string>;
type Signer = {
  calculatePostSignature(policy: object): { OSSAccessKeyId: string; Signature: string; policy: string };
  signPostObjectPolicyV4(policy: object, date: Date): string;
};

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const policyWith = (...conditions: unknown[]) => ({ expiration: inAnHour(), conditions });

/** Fields with a V1 signature. */
const v1 = (policy: object, as: Client = client): Fields => ({ ...(as as unknown as Signer).calculatePostSignature(policy) });

/** Fields with a V4 signature. */
function v4(conditions: unknown[], { at = new Date(), region = SHANGHAI } = {}): Fields {
  const time = ossDate(at);
  const named = {
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    "x-oss-credential": `${ROOT.accessKeyId}/${time.slice(0, 8)}/${region}/oss/aliyun_v4_request`,
    "x-oss-date": time,
  };
  const policy = policyWith(
    { bucket: BUCKET },
    ...Object.entries(named).map(([name, value]) => ({ [name]: value })),
    ...conditions,
  );
  const signer = fixture.client({ bucket: BUCKET, region: `oss-${region}` }) as unknown as Signer;
  return {
    ...named,
    policy: Buffer.from(JSON.stringify(policy)).toString("base64"),
    "x-oss-signature": signer.signPostObjectPolicyV4(policy, at),
  };
}

const field = (name: string, value: string) => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`;
const file = (content: string | Buffer, filename = "photo.jpg", type = "image/jpeg") =>
  Buffer.concat([
    Buffer.from(`Content-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`),
    Buffer.from(content),
  ]);

function bodyOf(parts: readonly (string | Buffer)[]): Buffer {
  const pieces = parts.flatMap((part) => [Buffer.from(`--${BOUNDARY}\r\n`), Buffer.from(part), Buffer.from("\r\n")]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

const fieldsOf = (fields: Fields) => Object.entries(fields).map(([name, value]) => field(name, value));

interface Sending {
  bucket?: string;
  headers?: Fields;
  kind?: "public" | "accelerate";
}

function post(body: Buffer, { bucket = BUCKET, headers = {}, kind = "public" }: Sending = {}): Promise<RawAnswer> {
  return send(fixture, {
    method: "POST",
    kind,
    path: `/${bucket}`,
    body,
    headers: {
      "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
      "content-length": String(body.byteLength),
      ...headers,
    },
  });
}

const upload = (fields: Fields, content: string | Buffer = "hello") => post(bodyOf([...fieldsOf(fields), file(content)]));
const headersOf = async (key: string) => (await client.head(key)).res.headers as Record<string, string>;

describe("a form", () => {
  test("with a V1 signature is stored with its attributes", async () => {
    fixture.events.length = 0;
    const policy = policyWith(["content-length-range", 0, 10], ["starts-with", "$key", "user/"], { bucket: BUCKET });
    const answer = await upload({
      key: "user/é",
      ...v1(policy),
      "Cache-Control": "no-store",
      "Content-Disposition": 'attachment; filename="图.jpg"',
      "x-oss-meta-who": "eric",
      "x-oss-object-acl": "public-read",
      "x-oss-storage-class": "IA",
    });
    expect(answer).toMatchObject({ status: 204, headers: { etag: '"5D41402ABC4B2A76B9719D911017C592"' } });
    expect((await client.get("user/é")).content.toString()).toBe("hello");
    expect(await headersOf("user/é")).toMatchObject({
      "content-type": "image/jpeg",
      "cache-control": "no-store",
      "content-disposition": Buffer.from('attachment; filename="图.jpg"').toString("latin1"),
      "x-oss-meta-who": "eric",
      "x-oss-storage-class": "IA",
      "x-oss-object-type": "Normal",
    });
    expect((await client.getACL("user/é")).acl).toBe("public-read");
    expect(fixture.events.map(({ eventName, oss }) => `${eventName} ${oss.object.key} ${oss.object.size}`)).toEqual([
      "ObjectCreated:PostObject user/é 5",
    ]);
  });

  test("with a V4 signature is answered 201 with a document when it asks for it", async () => {
    const answer = await upload({
      key: "dir/v4",
      success_action_status: "201",
      ...v4([
        ["eq", "$success_action_status", "201"],
        ["in", "$content-type", ["image/jpeg", "image/png"]],
        ["not-in", "$cache-control", ["no-cache"]],
      ]),
      "cache-control": "max-age=1",
    });
    expect(answer.status).toBe(201);
    const location = `https://127.0.0.1:${new URL(fixture.oss.endpoints[SHANGHAI]?.public ?? "").port}/${BUCKET}/dir/v4`;
    expect(answer.body.toString()).toContain(
      `<PostResponse><Bucket>${BUCKET}</Bucket><ETag>&quot;5D41402ABC4B2A76B9719D911017C592&quot;</ETag><Key>dir/v4</Key><Location>${location}</Location></PostResponse>`,
    );
    expect((await client.get("dir/v4")).content.toString()).toBe("hello");
  });

  test.each([
    ["200", 200],
    ["204", 204],
    ["404", 204],
  ])("that asks for status %s is answered %i", async (wanted, status) => {
    const answer = await upload({ key: "status", success_action_status: wanted, ...v1(policyWith(["eq", "$key", "status"])) });
    expect(answer).toMatchObject({ status, body: Buffer.alloc(0) });
  });

  test("leads the browser to the address that it names", async () => {
    const fields = { key: "a b", success_action_redirect: "https://example.com/done?x=1", ...v1(policyWith({ bucket: BUCKET })) };
    const answer = await upload(fields);
    expect(answer.status).toBe(303);
    const location = new URL(String(answer.headers.location));
    expect(Object.fromEntries(location.searchParams)).toEqual({
      x: "1",
      bucket: BUCKET,
      key: "a b",
      etag: '"5D41402ABC4B2A76B9719D911017C592"',
    });
    expect((await upload({ ...fields, success_action_redirect: "nowhere" })).status).toBe(204);
  });

  test("names its key after the file", async () => {
    const fields = fieldsOf({ key: "up/${filename}", ...v1(policyWith(["starts-with", "$key", "up/"])) });
    expect((await post(bodyOf([...fields, file("1", "C:\\fakepath\\a$&.txt")]))).status).toBe(204);
    expect((await client.get("up/a$&.txt")).content.toString()).toBe("1");
  });

  test("has a content type of its own, before that of the file and that of the field", async () => {
    const fields = { key: "typed", "content-type": "text/css", ...v1(policyWith({ bucket: BUCKET })) };
    await upload(fields);
    expect((await headersOf("typed"))["content-type"]).toBe("image/jpeg");
    await upload({ ...fields, "x-oss-content-type": "text/html" });
    expect((await headersOf("typed"))["content-type"]).toBe("text/html");
  });

  test("with the button that sent it after the file is taken", async () => {
    const fields = fieldsOf({ key: "button", ...v1(policyWith({ bucket: BUCKET })) });
    expect((await post(bodyOf([...fields, file("1"), field("submit", "Upload to OSS")]))).status).toBe(204);
  });

  test("of many bytes, which look like a boundary, is stored as it was sent", async () => {
    const bytes = Buffer.concat([randomBytes(3_000_000), Buffer.from(`\r\n--${BOUNDARY.slice(0, -1)}\r\n--`), randomBytes(1000)]);
    expect((await upload({ key: "large", ...v1(policyWith({ bucket: BUCKET })) }, bytes)).status).toBe(204);
    expect((await client.get("large")).content.equals(bytes)).toBe(true);
  });

  test("honours x-oss-forbid-overwrite", async () => {
    const fields = { key: "once", "x-oss-forbid-overwrite": "true", ...v1(policyWith({ bucket: BUCKET })) };
    expect((await upload(fields)).status).toBe(204);
    expect(await upload(fields)).toMatchObject({ status: 409, code: "FileAlreadyExists" });
  });

  test("comes with transfer acceleration too", async () => {
    const fields = fieldsOf({ key: "fast", ...v1(policyWith({ bucket: BUCKET })) });
    const accelerated = () => post(bodyOf([...fields, file("1")]), { kind: "accelerate" });
    expect(await accelerated()).toMatchObject({ status: 403, code: "AccessDenied" });
    const body = "<TransferAccelerationConfiguration><Enabled>true</Enabled></TransferAccelerationConfiguration>";
    const setting = { bucket: BUCKET, queries: { transferAcceleration: "" } };
    expect((await sendSigned(fixture, { method: "PUT", body }, setting)).status).toBe(200);
    expect((await accelerated()).status).toBe(204);
  });

  test("calls back with its own fields as variables", async () => {
    const bodies: string[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      bodies.push(Buffer.concat(chunks).toString());
      response.end('{"Status":"OK"}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const callback = {
      callbackUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      callbackBody: "${object} ${operation} ${x:mine}",
    };
    const answer = await upload({
      key: "called",
      callback: Buffer.from(JSON.stringify(callback)).toString("base64"),
      "x:mine": "1",
      ...v1(policyWith({ bucket: BUCKET })),
    });
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('{"Status":"OK"}') });
    expect(bodies).toEqual(["called PostObject 1"]);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("the signature of a form", () => {
  test("is in the form: OSS does not look at one in the headers", async () => {
    const fields = fieldsOf({ key: "headers", ...v1(policyWith({ bucket: BUCKET })) });
    const answer = await post(bodyOf([...fields, file("1")]), { headers: { authorization: "OSS nobody:nothing" } });
    expect(answer.status).toBe(204);
  });

  test("may be that of temporary credentials", async () => {
    const temporary = fixture.client({ bucket: BUCKET, ...STS });
    const fields = { key: "sts", ...v1(policyWith({ bucket: BUCKET }), temporary) };
    expect((await upload({ ...fields, "x-oss-security-token": STS.stsToken })).status).toBe(204);
    expect(await upload(fields)).toMatchObject({ status: 403, code: "InvalidAccessKeyId" });
    const old = fixture.client({ bucket: BUCKET, ...EXPIRED });
    expect(
      await upload({ key: "sts", "x-oss-security-token": EXPIRED.stsToken, ...v1(policyWith({ bucket: BUCKET }), old) }),
    ).toMatchObject({ status: 403, code: "SecurityTokenExpired" });
  });

  const without = (fields: Fields, name: string) => Object.fromEntries(Object.entries(fields).filter(([one]) => one !== name));
  const DAY_MS = 86_400_000;

  test.each<[string, () => Fields, number, string]>([
    ["missing", () => ({}), 403, "AccessDenied"],
    ["without its policy", () => without(v1(policyWith({ bucket: BUCKET })), "policy"), 400, "InvalidArgument"],
    ["without its key id", () => without(v1(policyWith({ bucket: BUCKET })), "OSSAccessKeyId"), 400, "InvalidArgument"],
    ["without a value", () => ({ ...v1(policyWith({ bucket: BUCKET })), Signature: "" }), 400, "InvalidArgument"],
    ["of another policy", () => ({ ...v1(policyWith({ bucket: BUCKET })), policy: "e30=" }), 403, "SignatureDoesNotMatch"],
    [
      "of an unknown key",
      () => ({ ...v1(policyWith({ bucket: BUCKET })), OSSAccessKeyId: "LTAIUNKNOWN" }),
      403,
      "InvalidAccessKeyId",
    ],
    [
      "of a user without permissions",
      () => v1(policyWith({ bucket: BUCKET }), fixture.client({ bucket: BUCKET, ...NOBODY })),
      403,
      "AccessDenied",
    ],
    ["of V4 without a date", () => without(v4([]), "x-oss-date"), 400, "InvalidArgument"],
    ["of V4 under another secret", () => ({ ...v4([]), "x-oss-signature": "0".repeat(64) }), 403, "SignatureDoesNotMatch"],
    ["of V4 for another region", () => v4([], { region: "us-west-1" }), 400, "InvalidArgument"],
    ["of V4 eight days old", () => v4([], { at: new Date(Date.now() - 8 * DAY_MS) }), 403, "AccessDenied"],
    ["of V4 of tomorrow", () => v4([], { at: new Date(Date.now() + DAY_MS) }), 403, "RequestTimeTooSkewed"],
  ])("%s is refused", async (_what, fields, status, code) => {
    expect(await upload({ key: "refused", ...fields() })).toMatchObject({ status, code });
    expect(await refusal(client.head("refused"))).toEqual({ status: 404, code: "NoSuchKey" });
  });

  test("is not needed for a bucket that everybody may write", async () => {
    const open = await fixture.bucket("forms-of-everybody");
    const unblocked =
      "<PublicAccessBlockConfiguration><BlockPublicAccess>false</BlockPublicAccess></PublicAccessBlockConfiguration>";
    const setting = { bucket: "forms-of-everybody", queries: { publicAccessBlock: "" } };
    expect((await sendSigned(fixture, { method: "PUT", body: unblocked }, setting)).status).toBe(200);
    await open.putBucketACL("forms-of-everybody", "public-read-write");
    const body = bodyOf([field("key", "open"), file("1")]);
    expect((await post(body, { bucket: "forms-of-everybody" })).status).toBe(204);
    expect((await open.get("open")).content.toString()).toBe("1");
  });
});

describe("a policy", () => {
  const signedText = (text: string): Fields => {
    const policy = Buffer.from(text).toString("base64");
    const Signature = createHmac("sha1", ROOT.accessKeySecret).update(policy).digest("base64");
    return { OSSAccessKeyId: ROOT.accessKeyId, policy, Signature };
  };

  test.each<[string, unknown, string]>([
    ["another key", ["eq", "$key", "other"], '["eq", "$key", "other"]'],
    ["another beginning", ["starts-with", "$key", "user/"], '["starts-with", "$key", "user/"]'],
    ["another bucket", { bucket: "other" }, '["eq", "$bucket", "other"]'],
    ["a field that is missing", ["eq", "success_action_status", "200"], '["eq", "$success_action_status", "200"]'],
    ["another type", ["in", "$content-type", ["text/css", "text/html"]], '["in", "$content-type", ["text/css", "text/html"]]'],
    ["not this type", ["not-in", "$content-type", ["image/jpeg"]], '["not-in", "$content-type", ["image/jpeg"]]'],
  ])("that demands %s refuses the form", async (_what, condition, shown) => {
    const answer = await upload({ key: "refused", ...v1(policyWith(condition)) });
    expect(answer).toMatchObject({ status: 403, code: "AccessDenied" });
    const message = /<Message>(.*?)<\/Message>/s.exec(answer.body.toString())?.[1]?.replaceAll("&quot;", '"');
    expect(message).toBe(`Invalid according to Policy: Policy Condition failed: ${shown}`);
  });

  test("that has expired refuses the form", async () => {
    const policy = { expiration: new Date(Date.now() - 1000).toISOString(), conditions: [{ bucket: BUCKET }] };
    const answer = await upload({ key: "refused", ...v1(policy) });
    expect(answer).toMatchObject({ status: 403, code: "AccessDenied" });
    expect(answer.body.toString()).toContain("Invalid according to Policy: Policy expired.");
  });

  test.each([
    [[0, 4], "hello", "EntityTooLarge"],
    [[6, 9], "hello", "EntityTooSmall"],
  ])("with the range %j refuses %s", async (range, content, code) => {
    const answer = await upload({ key: "sized", ...v1(policyWith(["content-length-range", ...range])) }, content);
    expect(answer).toMatchObject({ status: 400, code });
    expect(await refusal(client.head("sized"))).toEqual({ status: 404, code: "NoSuchKey" });
  });

  test.each<[string, string]>([
    ["that is not JSON", "{"],
    ["that is a list", "[]"],
    ["without an expiration", JSON.stringify({ conditions: [] })],
    ["with an expiration that is no date", JSON.stringify({ expiration: "soon", conditions: [] })],
    ["without conditions", JSON.stringify({ expiration: inAnHour() })],
    ["with a condition that is a number", JSON.stringify(policyWith(123))],
    ["with a map of two", JSON.stringify(policyWith({ key: "a", bucket: "b" }))],
    ["with an empty map", JSON.stringify(policyWith({}))],
    ["with a condition without a mode", JSON.stringify(policyWith(["$key"]))],
    ["with a mode that is unknown", JSON.stringify(policyWith(["ends-with", "$key", "a"]))],
    ["with a list for eq", JSON.stringify(policyWith(["eq", "$key", ["a"]]))],
    ["with a string for in", JSON.stringify(policyWith(["in", "$key", "a"]))],
    ["with a range of a text", JSON.stringify(policyWith(["content-length-range", 10, "test"]))],
    ["with a range that ends before it begins", JSON.stringify(policyWith(["content-length-range", 20, 10]))],
  ])("%s is refused", async (_what, text) => {
    expect(await upload({ key: "refused", ...signedText(text) })).toMatchObject({ status: 400, code: "InvalidPolicyDocument" });
  });
});

describe("the body of a form", () => {
  const key = field("key", "refused");
  const signature = () => fieldsOf(v1(policyWith({ bucket: BUCKET })));
  const cut = (body: Buffer, bytes: number) => body.subarray(0, body.byteLength - bytes);

  test.each<[string, () => Buffer, string]>([
    ["without a key", () => bodyOf([...signature(), file("1")]), "InvalidArgument"],
    ["with a key that no object may have", () => bodyOf([field("key", "/a"), ...signature(), file("1")]), "InvalidObjectName"],
    ["without a file", () => bodyOf([key, ...signature()]), "IncorrectNumberOfFilesInPOSTRequest"],
    ["with two files", () => bodyOf([key, ...signature(), file("1"), file("2")]), "IncorrectNumberOfFilesInPOSTRequest"],
    ["with a field after the file", () => bodyOf([key, ...signature(), file("1"), field("x", "y")]), "MalformedPOSTRequest"],
    ["that ends in the file", () => cut(bodyOf([key, ...signature(), file("1234567890")]), 30), "MalformedPOSTRequest"],
    ["that ends without its last line", () => cut(bodyOf([key, ...signature(), file("1")]), 4), "MalformedPOSTRequest"],
    ["that is none", () => Buffer.from("key=a"), "MalformedPOSTRequest"],
    ["with a part that has no name", () => bodyOf(["Content-Disposition: form-data\r\n\r\nx"]), "MalformedPOSTRequest"],
    [
      "with more than 8 MB before the file",
      () => bodyOf([key, field("x", "y".repeat(8 * 1024 * 1024)), ...signature(), file("1")]),
      "FieldItemTooLong",
    ],
    [
      "with a line break in a header",
      () => bodyOf([key, field("x-oss-meta-a", "1\n2"), ...signature(), file("1")]),
      "InvalidArgument",
    ],
  ])("%s is refused", async (_what, make, code) => {
    expect(await post(make())).toMatchObject({ status: 400, code });
    expect(await refusal(client.head("refused"))).toEqual({ status: 404, code: "NoSuchKey" });
  });

  test.each(["multipart/form-data;", "application/x-www-form-urlencoded"])("of type %s is refused", async (type) => {
    const answer = await post(bodyOf([key, file("1")]), { headers: { "content-type": type } });
    expect(answer).toMatchObject({ status: 400, code: "MalformedPOSTRequest" });
  });

  test("for a bucket that is not there is refused", async () => {
    const body = bodyOf([key, ...signature(), file("1")]);
    expect(await post(body, { bucket: "no-such-bucket" })).toMatchObject({ status: 404, code: "NoSuchBucket" });
  });
});
