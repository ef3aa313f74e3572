import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import type OSS from "ali-oss";
import { crc64Of } from "../../src/crc64";
import { type Client, type OssFixture, refusal, startFixture } from "./oss-fixture";

let fixture: OssFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.bucket("objects-of-tests");
});
afterAll(() => fixture.stop());

const headersOf = (result: { res: OSS.NormalSuccessResponse }) => result.res.headers as Record<string, string>;

describe.each([
  ["V4", true],
  ["V1", false],
])("objects, signed with %s", (_version, authorizationV4) => {
  let signed: Client;
  beforeAll(() => {
    signed = fixture.client({ bucket: "objects-of-tests", authorizationV4 } as Partial<OSS.Options>);
  });

  test.each(["plain.txt", "a b+c%20&=?#.txt", "中文/ключ/🚀.bin", "x//y/z/", `${"k".repeat(1000)}`])(
    "put, get and head of %s",
    async (key) => {
      const bytes = randomBytes(5000);
      const put = await signed.put(key, bytes, { meta: { "made-by": "test" } as unknown as OSS.UserMeta, mime: "text/plain" });
      expect(headersOf(put)["x-oss-hash-crc64ecma"]).toBe(crc64Of(bytes));
      const got = await signed.get(key);
      expect(got.content.equals(bytes)).toBe(true);
      const head = await signed.head(key);
      expect(head.meta).toEqual({ "made-by": "test" });
      expect(headersOf(head)).toMatchObject({
        "content-length": "5000",
        "content-type": "text/plain",
        etag: headersOf(put).etag,
        "x-oss-object-type": "Normal",
        "x-oss-hash-crc64ecma": headersOf(put)["x-oss-hash-crc64ecma"],
      });
    },
  );

  test("a stream without a length is sent chunked", async () => {
    const bytes = randomBytes(700_000);
    await signed.putStream("streamed", Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]));
    expect((await signed.get("streamed")).content.equals(bytes)).toBe(true);
  });

  test("an empty object", async () => {
    const put = await signed.put("empty", Buffer.alloc(0));
    expect(headersOf(put)).toMatchObject({ etag: '"D41D8CD98F00B204E9800998ECF8427E"', "x-oss-hash-crc64ecma": "0" });
    expect((await signed.get("empty")).content).toHaveLength(0);
  });

  test("a missing key is refused", async () => {
    expect(await refusal(signed.get("nothing"))).toEqual({ status: 404, code: "NoSuchKey" });
    expect(await refusal(signed.head("nothing"))).toEqual({ status: 404, code: "NoSuchKey" });
  });

  test("a delete succeeds, also the second time", async () => {
    await signed.put("doomed", Buffer.from("x"));
    expect((await signed.delete("doomed")).res.status).toBe(204);
    expect(await refusal(signed.head("doomed"))).toEqual({ status: 404, code: "NoSuchKey" });
    expect((await signed.delete("doomed")).res.status).toBe(204);
  });

  test("a wrong secret is refused", async () => {
    const wrong = fixture.client({ bucket: "objects-of-tests", authorizationV4, accessKeySecret: "no" } as Partial<OSS.Options>);
    expect(await refusal(wrong.put("wrong", Buffer.from("x")))).toEqual({ status: 403, code: "SignatureDoesNotMatch" });
    expect(await refusal(wrong.get("plain.txt"))).toEqual({ status: 403, code: "SignatureDoesNotMatch" });
  });
});
