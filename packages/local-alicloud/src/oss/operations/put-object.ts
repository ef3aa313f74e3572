/** https://www.alibabacloud.com/help/en/oss/developer-reference/putobject */
import { attributesOf, encryptionHeaders, versionHeader } from "../attributes";
import type { Operation } from "../operation";
import { assertMayOverwrite, commitObject, permitAttributes } from "./commit";
import { discardOnError, receiveBody } from "./receive-body";

export const etagOfMd5 = (base64: string) => Buffer.from(base64, "base64").toString("hex").toUpperCase();

export async function putObject(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  permitAttributes(operation);
  const { exchange, bucket, key } = operation;
  const attributes = attributesOf(exchange.request.headers, bucket.record);
  assertMayOverwrite(operation, bucket.keys.versions(key));
  const received = await receiveBody(operation);
  const object = await discardOnError(operation, received, () =>
    commitObject(
      operation,
      { ...attributes, ...received, type: "Normal", etag: etagOfMd5(received.md5) },
      "ObjectCreated:PutObject",
    ),
  );
  exchange.send(200, {
    etag: `"${object.etag}"`,
    "content-md5": object.md5,
    "x-oss-hash-crc64ecma": object.crc64,
    "x-oss-version-id": versionHeader(bucket.record, object.versionId),
    ...encryptionHeaders(object),
  });
}
