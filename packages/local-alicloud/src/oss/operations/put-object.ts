/** https://www.alibabacloud.com/help/en/oss/developer-reference/putobject */
import { attributesOf, encryptionHeaders, versionHeader } from "../attributes";
import type { Operation } from "../operation";
import { OssError } from "../oss-error";
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

const CONDITIONS = ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"];

/** OSS has no conditional write but `x-oss-forbid-overwrite`: it refuses the conditions of a read. @throws OssError `NotImplemented` */
function refuseConditions({ exchange }: Operation): void {
  const condition = CONDITIONS.find((name) => exchange.header(name.toLowerCase()) !== undefined);
  if (condition !== undefined)
    throw new OssError(501, "NotImplemented", "A header you provided implies functionality that is not implemented.", {
      details: { Header: condition },
    });
}

export async function putObject(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  permitAttributes(operation);
  refuseConditions(operation);
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
