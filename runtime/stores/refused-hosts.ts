/** Answers of OSS to a request that another host would serve. Both the store and the reader of presigned URLs get them. */

/**
 * The reasons by code, each with the way out.
 * @param side the side whose setting is named
 *
 * - https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000401
 * - https://www.alibabacloud.com/help/en/oss/user-guide/what-to-do-with-apkdownloadforbidden-reporting-an-error
 */
export function refusedHosts(side: "source" | "this side") {
  const setting = side === "source" ? "source.customDomain" : "customDomain of this side";
  return {
    PublicEndpointForbidden: `this account cannot use the public host of a mainland region for objects: set ${setting} to a domain that is bound to the bucket`,
    ApkDownloadForbidden: `OSS serves .apk and .ipa files by URL only through a custom domain: set ${setting} to a domain that is bound to the bucket`,
    NoSuchCname: `the custom domain is not bound to the bucket: bind it in OSS, or correct ${setting}`,
  } as const;
}
