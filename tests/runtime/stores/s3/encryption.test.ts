import { expectKind, NO_ATTRIBUTES, streamOf, textBytes } from "../../../conformance/object-store/context";
import { type Answer, fakeServer, HEAD, refusal, s3Store, status } from "../fake-server";

const s3 = fakeServer();

const BYTES = textBytes("hello");
const LARGE = Buffer.alloc(3 * 1024 ** 2, 1);

describe("where the bucket's policy wants every write to name its encryption", () => {
  const CREATED = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
  const answering = (response: Parameters<Answer>[1]) => [undefined as never, response] as const;
  /** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html */
  const encryptedBy = (algorithm: string) =>
    status(
      200,
      {},
      `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>${algorithm}</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
    );
  const OWN = encryptedBy("AES256");
  const byPolicy: Answer = ({ method, headers }, response) => {
    if (headers["x-amz-server-side-encryption"] !== "AES256") refusal(403, "AccessDenied")(...answering(response));
    else status(200, method === "PUT" ? HEAD : {}, method === "PUT" ? "" : CREATED)(...answering(response));
  };
  /** What each write says of its encryption, and `?` for a question about the bucket's. */
  const named = () =>
    s3.seen.map(({ url, headers }) => (url.includes("?encryption") ? "?" : headers["x-amz-server-side-encryption"]));
  const SMALL = { attributes: NO_ATTRIBUTES, sizeBytes: BYTES.length };

  test("a write is sent again with AES256, and every later one has it at once", async () => {
    s3.answer(byPolicy, OWN, byPolicy, byPolicy, byPolicy);
    const store = s3Store(s3);
    await store.put("k", BYTES, SMALL);
    await store.put("k", streamOf(LARGE), { attributes: NO_ATTRIBUTES, sizeBytes: LARGE.length });
    await store.createUpload("k", { attributes: NO_ATTRIBUTES });
    expect(named()).toEqual([undefined, "?", "AES256", "AES256", "AES256"]);
  });

  test("a bucket without a default of its own has S3's", async () => {
    s3.answer(byPolicy, refusal(404, "ServerSideEncryptionConfigurationNotFoundError"), byPolicy);
    await s3Store(s3).put("k", BYTES, SMALL);
    expect(named()).toEqual([undefined, "?", "AES256"]);
  });

  test.each(["aws:kms", "aws:kms:dsse"])(
    "a bucket whose default is %s never gets an object without its key: the refusal names the setting",
    async (algorithm) => {
      const denied = [refusal(403, "AccessDenied"), encryptedBy(algorithm)];
      s3.answer(...denied, ...denied);
      const store = s3Store(s3);
      await expect(store.put("k", BYTES, SMALL)).rejects.toMatchObject({
        kind: "PermissionDenied",
        message: expect.stringContaining("set kmsKeyArn of this side"),
      });
      await expectKind(store.createUpload("k", { attributes: NO_ATTRIBUTES }), "PermissionDenied");
      expect(named()).toEqual([undefined, "?", undefined, "?"]);
    },
  );

  test("a bucket that does not tell its default gets no object without it", async () => {
    s3.answer(refusal(403, "AccessDenied"), refusal(403, "AccessDenied"));
    await expectKind(s3Store(s3).put("k", BYTES, SMALL), "PermissionDenied");
    expect(named()).toEqual([undefined, "?"]);
  });

  test("an upload is created again with AES256", async () => {
    s3.answer(byPolicy, OWN, byPolicy);
    expect(await s3Store(s3).createUpload("k", { attributes: NO_ATTRIBUTES })).toEqual({ uploadId: "u1" });
    expect(named()).toEqual([undefined, "?", "AES256"]);
  });

  test("a stream cannot be sent again, so the next try has the header", async () => {
    s3.answer(byPolicy, OWN, byPolicy);
    const store = s3Store(s3);
    const options = { attributes: NO_ATTRIBUTES, sizeBytes: LARGE.length };
    await expectKind(store.put("k", streamOf(LARGE), options), "PermissionDenied");
    await store.put("k", streamOf(LARGE), options);
    expect(named()).toEqual([undefined, "?", "AES256"]);
  });

  test("a write that is refused with the header too is PermissionDenied, after three requests", async () => {
    s3.answer(refusal(403, "AccessDenied"), OWN, refusal(403, "AccessDenied"), status(200, HEAD));
    const store = s3Store(s3);
    await expectKind(store.put("k", BYTES, SMALL), "PermissionDenied");
    await store.put("k", BYTES, SMALL);
    expect(named()).toEqual([undefined, "?", "AES256", undefined]);
  });

  test("a configured key is never replaced", async () => {
    s3.answer(refusal(403, "AccessDenied"));
    await expectKind(s3Store(s3, { kmsKeyArn: "key-1" }).put("k", BYTES, SMALL), "PermissionDenied");
    expect(named()).toEqual(["aws:kms"]);
  });
});
