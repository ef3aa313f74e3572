/** An object as it is, in the headers that write it once more. https://www.alibabacloud.com/help/en/oss/developer-reference/headobject */
import type { Checksum } from "../../protocol/snapshot";
import { BridgeError } from "../errors";
import type { CallOptions } from "../object-store";
import { crc64Of } from "./checksum";
import { required } from "./client";
import type { OssContext } from "./context";
import { attributeHeaders, parseHead } from "./metadata";
import { withSignal } from "./uploads";

export interface OssPresent {
  etag: string;
  versionId: string | undefined;
  sizeBytes: number;
  lastModified: Date;
  /** All that the new object is written with, besides its tags. */
  headers: Record<string, string>;
  checksum: Checksum | undefined;
}

const TYPE = "x-oss-object-type";
const STORAGE_CLASS = "x-oss-storage-class";
const ENCRYPTION = "x-oss-server-side-encryption";
const ENCRYPTION_HEADERS = [ENCRYPTION, `${ENCRYPTION}-key-id`, "x-oss-server-side-data-encryption"];

/** @throws BridgeError `Unsupported` when a copy would turn it into another type of object. */
export async function lookAt(
  op: string,
  { client, placement }: OssContext,
  key: string,
  { signal }: CallOptions,
  versionId?: string,
): Promise<OssPresent> {
  const queries = versionId === undefined ? {} : { versionId };
  return client.text({ op, method: "HEAD", key, queries, ...withSignal(signal) }, (_, answer) => {
    const type = answer[TYPE];
    if (type === "Appendable" || type === "Symlink")
      throw new BridgeError("Unsupported", op, `the object is of type ${type}: a copy of it would be an ordinary object`);
    const sizeBytes = Number(required(op, "Content-Length", answer["content-length"]));
    const head = parseHead(op, answer, sizeBytes);
    const encryption = placement[ENCRYPTION] === undefined ? answer : placement;
    return {
      etag: head.etag,
      versionId: head.versionId,
      sizeBytes,
      lastModified: head.lastModified,
      headers: {
        ...attributeHeaders(op, head),
        ...pick(encryption, ENCRYPTION_HEADERS),
        // The bucket's, where OSS does not tell.
        ...pick(answer, [STORAGE_CLASS]),
      },
      checksum: crc64Of(answer),
    };
  });
}

function pick(headers: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
