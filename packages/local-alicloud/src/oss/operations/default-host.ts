/**
 * Reads of browsers at OSS's own hosts: signed URLs and anonymous requests. Requests with an Authorization header, at an internal host or at a
 * custom domain are served as they are.
 */
import { EC } from "../error-codes";
import type { Operation } from "../operation";
import { OssError } from "../oss-error";
import type { StoredObject } from "../store/model";

const PACKAGE_NAME = /\.(?:apk|ipa)$/i;
const PACKAGE_TYPES: ReadonlySet<string> = new Set(["application/vnd.android.package-archive", "application/iphone"]);
const PAGE_NAME = /\.html?$/i;
const DOWNLOADED_TYPES: ReadonlySet<string> = new Set([
  "text/html",
  "image/jpeg",
  "image/gif",
  "image/tiff",
  "image/png",
  "image/webp",
  "image/svg+xml",
  "image/bmp",
  "image/x-ms-bmp",
  "image/x-cmu-raster",
  "image/exr",
  "image/x-icon",
  "image/heic",
]);

const isOfBrowser = ({ byDefaultHost, exchange }: Operation): boolean =>
  byDefaultHost && exchange.header("authorization") === undefined;

const typeOf = (headers: Readonly<Record<string, unknown>>): string =>
  String(headers["content-type"] ?? "")
    .split(";")[0]
    ?.trim()
    .toLowerCase() ?? "";

/**
 * OSS does not distribute packages of apps.
 * https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000200
 * https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000203 (acceleration)
 * @throws OssError `ApkDownloadForbidden`
 */
export function assertNoPackageDownload(operation: Operation, { headers }: StoredObject): void {
  const isPackage = PACKAGE_NAME.test(operation.key) || PACKAGE_TYPES.has(typeOf(headers));
  if (!isPackage || !isOfBrowser(operation)) return;
  throw new OssError(
    400,
    "ApkDownloadForbidden",
    "The APK file is not allowed to be distributed in a public network using the OSS endpoint, please use CNAME instead.",
    { ec: operation.exchange.entry.kind === "accelerate" ? EC.packageByAcceleration : EC.packageByPublicHost },
  );
}

/**
 * The headers by which OSS makes a browser download a page or an image, as for buckets made after September 2019. Accounts that activated OSS
 * after 2022-10-09 have them for every type; here they are for these types only. The documents do not say whether an attachment of the
 * object's own keeps its file name; here it does.
 * https://www.alibabacloud.com/help/en/oss/user-guide/how-to-ensure-an-object-is-previewed-when-you-access-the-object
 * https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000101 (the types)
 * https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000113 (accounts)
 * @param headers those of the answer so far
 */
export function forcedDownload(
  operation: Operation,
  headers: Readonly<Record<string, string | number | undefined>>,
): Record<string, string> {
  const isDownloaded = PAGE_NAME.test(operation.key) || DOWNLOADED_TYPES.has(typeOf(headers));
  if (!isDownloaded || !isOfBrowser(operation)) return {};
  const isAttachment = /^\s*attachment\b/i.test(String(headers["content-disposition"] ?? ""));
  return { "x-oss-force-download": "true", ...(isAttachment ? {} : { "content-disposition": "attachment" }) };
}
