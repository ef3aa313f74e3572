/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putsymlink
 * https://www.alibabacloud.com/help/en/oss/developer-reference/getsymlink
 */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { attributesOf, metadataHeaders, versionHeader } from "../attributes";
import { assertObjectName, percentDecode, percentEncode } from "../names";
import type { Operation } from "../operation";
import { invalidArgument, OssError } from "../oss-error";
import { commitObject, permitAttributes } from "./commit";
import { permittedObject } from "./find-version";
import { discardOnError } from "./receive-body";

export async function putSymlink(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  permitAttributes(operation);
  const { exchange, bucket, key } = operation;
  const header = exchange.header("x-oss-symlink-target");
  if (header === undefined)
    throw invalidArgument("x-oss-symlink-target is missing.", { name: "x-oss-symlink-target", value: "" });
  const target = percentDecode(header, "x-oss-symlink-target");
  assertObjectName(target);
  if (target === key)
    throw invalidArgument("A symbolic link cannot point to itself.", { name: "x-oss-symlink-target", value: header });
  const attributes = attributesOf(exchange.headers, bucket.record);
  const empty = await bucket.data.receive(Readable.from([]));
  const { md5: _none, ...content } = empty;
  const etag = createHash("md5").update(target).digest("hex").toUpperCase();
  const link = await discardOnError(operation, empty, () =>
    commitObject(
      operation,
      { ...attributes, ...content, type: "Symlink", etag, symlinkTarget: target },
      "ObjectCreated:PutSymlink",
    ),
  );
  exchange.send(200, {
    etag: `"${link.etag}"`,
    "x-oss-hash-crc64ecma": link.crc64,
    "x-oss-version-id": versionHeader(bucket.record, link.versionId),
  });
}

export async function getSymlink(operation: Operation): Promise<void> {
  const link = permittedObject(operation, "Get");
  if (link.symlinkTarget === undefined) throw new OssError(400, "NotSymlink", "The object is not symbolic.");
  operation.exchange.send(200, {
    ...metadataHeaders(link.metadata),
    etag: `"${link.etag}"`,
    "last-modified": new Date(link.lastModified).toUTCString(),
    "x-oss-symlink-target": percentEncode(link.symlinkTarget).replaceAll("%2F", "/"),
    "x-oss-hash-crc64ecma": link.crc64,
    "x-oss-version-id": versionHeader(operation.bucket.record, link.versionId),
  });
}
