import { EC } from "../error-codes";
import type { Operation } from "../operation";
import { OssError } from "../oss-error";
import type { StoredObject } from "../store/model";

const PACKAGE_NAME = /\.(?:apk|ipa)$/i;
const PACKAGE_TYPES = new Set(["application/vnd.android.package-archive", "application/iphone"]);

/**
 * A host name of OSS does not distribute packages of apps: it refuses them to signed URLs and to anonymous requests. A custom domain, an
 * internal host and a request with an Authorization header get them.
 * https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000200
 * https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000203 (acceleration)
 * @throws OssError `ApkDownloadForbidden`
 */
export function assertNoPackageDownload({ byDefaultHost, exchange, key }: Operation, { headers }: StoredObject): void {
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const isPackage = PACKAGE_NAME.test(key) || PACKAGE_TYPES.has(type);
  if (!byDefaultHost || !isPackage || exchange.header("authorization") !== undefined) return;
  throw new OssError(
    400,
    "ApkDownloadForbidden",
    "The APK file is not allowed to be distributed in a public network using the OSS endpoint, please use CNAME instead.",
    { ec: exchange.entry.kind === "accelerate" ? EC.packageByAcceleration : EC.packageByPublicHost },
  );
}
