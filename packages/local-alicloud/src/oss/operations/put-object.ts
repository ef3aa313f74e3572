/** https://www.alibabacloud.com/help/en/oss/developer-reference/putobject */
import { attributesOf, encryptionHeaders, versionHeader } from "../attributes";
import type { Operation } from "../operation";
import type { StoredObject } from "../store/model";
import { callBack, readCallback } from "./callback";
import { assertMayOverwrite, commitObject, permitAttributes } from "./commit";
import { discardOnError, receiveBody } from "./receive-body";

export const etagOfMd5 = (base64: string) => Buffer.from(base64, "base64").toString("hex").toUpperCase();

/** The headers of the answer to an upload in one request. */
export const storedHeaders = ({ bucket }: Operation, object: StoredObject): Record<string, string | undefined> => ({
  etag: `"${object.etag}"`,
  "content-md5": object.md5,
  "x-oss-hash-crc64ecma": object.crc64,
  "x-oss-version-id": versionHeader(bucket.record, object.versionId),
  ...encryptionHeaders(object, bucket.record),
});

export async function putObject(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  permitAttributes(operation);
  const { exchange, bucket, key } = operation;
  const attributes = attributesOf(exchange.headers, bucket.record);
  const callback = readCallback(operation);
  assertMayOverwrite(operation, bucket.keys.versions(key));
  const received = await receiveBody(operation);
  const object = await discardOnError(operation, received, () =>
    commitObject(
      operation,
      { ...attributes, ...received, type: "Normal", etag: etagOfMd5(received.md5) },
      "ObjectCreated:PutObject",
    ),
  );
  const headers = storedHeaders(operation, object);
  if (callback === undefined) exchange.send(200, headers);
  else await callBack(operation, callback, { object, operation: "PutObject" }, headers);
}
