/** The small pieces of the OSS adapter, each by itself. */
import fc from "fast-check";
import { cacheCredentials } from "../../../../runtime/http/sigv4";
import { parseTagging } from "../../../../runtime/http/tagging";
import { BridgeError } from "../../../../runtime/stores/errors";
import { isAccelerated, isOssEndpoint, ossEndpoint, ossPath, ossTarget } from "../../../../runtime/stores/oss/endpoint";
import { ossErrors } from "../../../../runtime/stores/oss/errors";
import { checkTags, crc64FromDecimal, taggingDocument } from "../../../../runtime/stores/oss/metadata";
import { expectKind } from "../../../conformance/object-store/context";

describe("errors", () => {
  test.each([
    ["NoSuchKey", 404, "NotFound"],
    ["NoSuchUpload", 404, "NotFound"],
    // A code counts as a fact about the object only with its own status.
    ["NoSuchKey", 400, "Unexpected"],
    ["NoSuchKey", 403, "Unexpected"],
    ["NoSuchUpload", 410, "Unexpected"],
    ["NoSuchBucket", 500, "Unavailable"],
    ["PublicEndpointForbidden", 400, "HostRefused"],
    ["ApkDownloadForbidden", 400, "HostRefused"],
    // With a status of 404, yet it says nothing about the object.
    ["NoSuchCname", 404, "HostRefused"],
    ["PreconditionFailed", 400, "Unexpected"],
    ["NotModified", 503, "Unavailable"],
    ["FileAlreadyExists", 409, "PreconditionFailed"],
    ["PositionNotEqualToLength", 409, "PreconditionFailed"],
    ["ObjectNotAppendable", 409, "Unsupported"],
    ["PreconditionFailed", 412, "PreconditionFailed"],
    ["AccessDenied", 403, "PermissionDenied"],
    ["SecurityTokenExpired", 403, "PermissionDenied"],
    ["RequestTimeTooSkewed", 403, "Unavailable"],
    ["InvalidObjectState", 403, "Unsupported"],
    ["InvalidDigest", 400, "Corrupted"],
    ["InvalidArgument", 400, "Invalid"],
    ["EntityTooSmall", 400, "Invalid"],
    ["RequestTimeout", 400, "Unavailable"],
    ["InvalidBucketName", 400, "ConfigInvalid"],
    ["QpsLimitExceeded", 503, "RateLimited"],
    ["InternalError", 500, "Unavailable"],
    ["SomethingNew", 429, "RateLimited"],
    ["SomethingNew", 502, "Unavailable"],
    ["SomethingNew", 418, "Unexpected"],
    [undefined, 404, "NotFound"],
  ])("%s with status %i is %s", (code, status, kind) => {
    expect(ossErrors.refusal("get", { status, code })).toMatchObject({ kind, op: "get" });
  });

  test("the message names operation, code, request and advice, and leaves OSS's own message out", () => {
    const document = "<Error><Code>AccessDenied</Code><Message>user LTAI on oss://bucket/private</Message></Error>";
    const answer = { status: 403, headers: { "x-oss-request-id": "R1" }, body: Buffer.from(document) };
    expect(ossErrors.refused("get", answer, false).message).toBe(
      "OSS answered get with AccessDenied (HTTP 403, request R1): check the credentials, the RAM policy of the role and the bucket policy",
    );
  });

  test.each([
    [
      "PublicEndpointForbidden",
      /\(HTTP 400\): this account cannot use the public host of a mainland region .*: set customDomain of this side to a domain/,
    ],
    [
      "ApkDownloadForbidden",
      /\(HTTP 400\): OSS serves \.apk and \.ipa files by URL only through a custom domain: set customDomain of this side to a domain/,
    ],
  ])("%s names its way out, also in the answer to HEAD", (code, message) => {
    const document = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><EC>0048-00000401</EC></Error>`;
    const hidden = { "x-oss-err": Buffer.from(document).toString("base64") };
    for (const answer of [
      { status: 400, headers: {}, body: Buffer.from(document) },
      { status: 400, headers: hidden, body: Buffer.alloc(0) },
    ])
      expect(ossErrors.refused("head", answer, false)).toMatchObject({
        kind: "HostRefused",
        retryable: false,
        message: expect.stringMatching(message),
      });
  });

  test("the answer to HEAD has the document in a header", () => {
    const hidden = Buffer.from("<Error><Code>NoSuchBucket</Code></Error>").toString("base64");
    const answer = { status: 404, headers: { "x-oss-err": hidden }, body: Buffer.alloc(0) };
    expect(ossErrors.refused("head", answer, false).kind).toBe("NoSuchBucket");
  });

  test("a refusal of a retry of a write is Unavailable", () => {
    expect(ossErrors.refusal("put", { status: 409, code: "FileAlreadyExists" }, true).kind).toBe("Unavailable");
    expect(ossErrors.refusal("completeUpload", { status: 404, code: "NoSuchUpload" }, true).kind).toBe("Unavailable");
    expect(ossErrors.refusal("get", { status: 412, code: "PreconditionFailed" }, true).kind).toBe("PreconditionFailed");
    expect(ossErrors.refusal("getTags", { status: 404, code: "NoSuchKey" }, true).kind).toBe("NotFound");
  });

  test.each(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTFOUND", "UND_ERR_SOCKET", "UND_ERR_HEADERS_TIMEOUT"])(
    "%s is Unavailable",
    (code) => {
      expect(ossErrors.broken("put", Object.assign(new Error("x"), { code }))).toMatchObject({ kind: "Unavailable" });
    },
  );

  test("any other error is Unexpected, and a BridgeError stays as it is", () => {
    expect(ossErrors.broken("put", "text").kind).toBe("Unexpected");
    expect(ossErrors.broken("put", undefined).kind).toBe("Unexpected");
    const own = new BridgeError("Corrupted", "put", "x");
    expect(ossErrors.broken("put", own)).toBe(own);
  });
});

describe("endpoints", () => {
  test.each([
    ["public", "https://oss-cn-shanghai.aliyuncs.com"],
    ["internal", "https://oss-cn-shanghai-internal.aliyuncs.com"],
    ["accelerate", "https://oss-accelerate.aliyuncs.com"],
    ["accelerate-overseas", "https://oss-accelerate-overseas.aliyuncs.com"],
  ] as const)("%s is %s", (network, endpoint) => {
    expect(ossEndpoint("cn-shanghai", network)).toBe(endpoint);
    expect(ossEndpoint("oss-cn-shanghai", network)).toBe(endpoint);
  });

  test("a bucket precedes a host name, and is in the path behind an IP address", () => {
    expect(ossTarget("https://oss-accelerate.aliyuncs.com", "b")).toEqual({
      origin: "https://b.oss-accelerate.aliyuncs.com",
      pathPrefix: "/",
    });
    expect(ossTarget("https://localhost:8443", "b")).toEqual({ origin: "https://localhost:8443", pathPrefix: "/b/" });
    expect(ossTarget("https://10.0.0.1", "b")).toEqual({ origin: "https://10.0.0.1", pathPrefix: "/b/" });
  });

  test("a custom domain belongs to one bucket, so neither host nor path names the bucket", () => {
    const endpoint = ossEndpoint("cn-shanghai", { customDomain: "oss.example.com" });
    expect(endpoint).toEqual({ boundTo: "https://oss.example.com" });
    expect(ossTarget(endpoint, "b")).toEqual({ origin: "https://oss.example.com", pathPrefix: "/" });
    // Another cloud may serve it at an address, as the local one does.
    const elsewhere = ossEndpoint("cn-shanghai", { customDomain: "oss.example.com" }, () => "https://127.0.0.1:4443");
    expect(ossTarget(elsewhere, "b")).toEqual({ origin: "https://127.0.0.1:4443", pathPrefix: "/" });
    expect([isAccelerated(endpoint), isOssEndpoint(endpoint)]).toEqual([false, true]);
    expect(() => ossTarget({ boundTo: "http://oss.example.com" }, "b")).toThrow("must be https://host[:port]");
  });

  test.each(["http://oss-cn-shanghai.aliyuncs.com", "oss-cn-shanghai.aliyuncs.com", "https://host/path", "https://u:p@host", ""])(
    "%s is no endpoint",
    async (endpoint) => {
      await expectKind((async () => ossTarget(endpoint, "b"))(), "ConfigInvalid");
    },
  );

  test("a path holds the exact key, and no URL parser would change it", () => {
    const target = ossTarget("https://localhost:1", "b");
    expect(ossPath(target, "a/../b//c d+e%20(文)'!*~?#", { uploads: null, position: "0", "a b": "=&" })).toBe(
      "/b/a/../b//c%20d%2Be%2520%28%E6%96%87%29%27%21%2A~%3F%23?uploads&position=0&a%20b=%3D%26",
    );
  });
});

describe("credentials", () => {
  function loader(expiresAt?: Date) {
    const loaded: number[] = [];
    return {
      loaded,
      load: async () => {
        loaded.push(loaded.length);
        return { accessKeyId: `AK${loaded.length}`, accessKeySecret: "s", ...(expiresAt !== undefined && { expiresAt }) };
      },
    };
  }

  test("are cached until a minute before their end, and concurrent callers share one load", async () => {
    let nowMs = 0;
    const { load, loaded } = loader(new Date(600_000));
    const provide = cacheCredentials(load, () => nowMs);
    const [a, b] = await Promise.all([provide(), provide()]);
    expect(a).toBe(b);
    nowMs = 539_999;
    await provide();
    expect(loaded).toHaveLength(1);
    nowMs = 540_000;
    expect((await provide()).accessKeyId).toBe("AK2");
  });

  test("without an end are loaded once; a failed load is not cached", async () => {
    const { load, loaded } = loader();
    let fail = true;
    const provide = cacheCredentials(() => (fail ? Promise.reject(new Error("metadata service down")) : load()));
    await expect(provide()).rejects.toThrow("down");
    fail = false;
    await provide();
    await provide();
    expect(loaded).toHaveLength(1);
  });
});

describe("tags", () => {
  test.each([
    [{ "": "x" }, /name is empty/],
    [{ ["k".repeat(129)]: "x" }, /name is longer than 128/],
    [{ a: "v".repeat(257) }, /"a".*value is longer than 256/],
    [Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`k${index}`, "v"])), /11 tags.*at most 10/],
  ])("%j is refused with its reason", async (tags, reason) => {
    const refused = async () => checkTags("put", tags);
    await expectKind(refused(), "Invalid");
    await expect(refused()).rejects.toThrow(reason);
  });

  test("a document holds any tags and gives them back", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 12 });
    fc.assert(
      fc.property(fc.dictionary(text, text, { noNullPrototype: true }), (tags) => {
        expect(parseTagging(taggingDocument(tags).toString("utf8"))).toEqual(tags);
      }),
    );
  });

  test("an empty set, an empty value and a vendor's own layout are read", () => {
    expect(parseTagging("<Tagging>\n  <TagSet/>\n</Tagging>")).toEqual({});
    expect(
      parseTagging(
        "<Tagging><TagSet><Tag>\n<Key>a</Key>\n<Value/></Tag><Tag><Key>b</Key><Value></Value></Tag></TagSet></Tagging>",
      ),
    ).toEqual({
      a: "",
      b: "",
    });
  });
});

test("a CRC-64 is a decimal of 64 bits or none", () => {
  expect(crc64FromDecimal("18446744073709551615")?.value).toBe("//////////8=");
  expect(crc64FromDecimal("0")?.value).toBe("AAAAAAAAAAA=");
  for (const text of ["", "18446744073709551616", "-1", "12x"]) expect(crc64FromDecimal(text)).toBeUndefined();
});
