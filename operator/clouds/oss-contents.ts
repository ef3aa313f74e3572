import { escapeXml, type XmlElement } from "../../runtime/http/xml";
import { isBridgeError } from "../../runtime/stores/errors";
import { createOssDispatcher, OssClient } from "../../runtime/stores/oss/client";
import { ossEndpoint } from "../../runtime/stores/oss/endpoint";
import { contentMd5, documentOf, required } from "../../runtime/stores/oss/metadata";
import { OSS_CAPABILITIES } from "../../runtime/stores/oss/store";
import type { BucketContents, Upload, Version } from "../bucket-contents";
import type { AlicloudAccess } from "../operated-bridge";

const PAGE = "1000";

/**
 * Goes by the bucket's own domain if it has one: an account may be refused objects of the mainland through the public host.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/list-of-operations-by-function
 */
export function openOssContents(
  { region, credentials, originOf, ca }: AlicloudAccess,
  { name: bucket, customDomain }: { name: string; customDomain?: string | undefined },
): BucketContents {
  const dispatcher = createOssDispatcher({ ca });
  const endpoint = ossEndpoint(region, customDomain === undefined ? "public" : { customDomain }, originOf);
  const client = new OssClient({ bucket, region, credentials, endpoint, dispatcher }, OSS_CAPABILITIES);
  return {
    async uploads(signal) {
      const op = "listUploads";
      const queries = { uploads: null, "encoding-type": "url", "max-uploads": PAGE };
      const page = await client.text({ op, method: "GET", queries, signal }, (text) => documentOf(op, text));
      return page
        .all("Upload")
        .map((one): Upload => ({ key: keyOf(op, one), uploadId: required(op, "UploadId", one.textOf("UploadId")) }));
    },
    async abort({ key, uploadId }, signal) {
      try {
        await client.text({ op: "abortUpload", method: "DELETE", key, queries: { uploadId }, signal }, () => undefined);
      } catch (error) {
        if (!isBridgeError(error, "NotFound")) throw error;
      }
    },
    async versions(signal) {
      const op = "listVersions";
      const queries = { versions: null, "encoding-type": "url", "max-keys": PAGE };
      const page = await client.text({ op, method: "GET", queries, signal }, (text) => documentOf(op, text));
      return [...page.all("Version"), ...page.all("DeleteMarker")].map(
        (one): Version => ({ key: keyOf(op, one), versionId: required(op, "VersionId", one.textOf("VersionId")) }),
      );
    },
    // OSS answers for all versions at once: it deletes them, or refuses the request.
    async remove(versions, signal) {
      const objects = versions.map(
        ({ key, versionId }) => `<Object><Key>${escapeXml(key)}</Key><VersionId>${escapeXml(versionId)}</VersionId></Object>`,
      );
      const body = Buffer.from(`<Delete><Quiet>true</Quiet>${objects.join("")}</Delete>`);
      const headers = { ...contentMd5(body), "content-type": "application/xml" };
      await client.text({ op: "delete", method: "POST", queries: { delete: null }, headers, body, signal }, () => undefined);
      return [];
    },
    close: () => dispatcher.close(),
  };
}

/** XML 1.0 cannot hold every key, so OSS is asked to encode them. */
const keyOf = (op: string, element: XmlElement): string =>
  decodeURIComponent(required(op, "Key", element.textOf("Key")).replaceAll("+", "%20"));
