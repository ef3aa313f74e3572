/** The vendor's signer, which `@types/ali-oss` leaves out. Its functions call each other through `this`. */
declare module "ali-oss/lib/common/signUtils" {
  type Queries = Record<string, string | null>;
  interface SignUtils {
    getCredential(date: string, region: string, accessKeyId?: string): string;
    getCanonicalRequest(
      method: string,
      request: { headers: Record<string, string>; queries: Queries },
      bucketName: string,
      objectName: string | undefined,
      additionalHeaders: string[],
    ): string;
    getStringToSign(region: string, date: string, canonicalRequest: string): string;
    getSignatureV4(accessKeySecret: string, date: string, region: string, stringToSign: string): string;
    authorizationV4(
      accessKeyId: string,
      accessKeySecret: string,
      region: string,
      method: string,
      request: { headers: Record<string, string>; queries: Queries },
      bucketName: string,
      objectName: string | undefined,
    ): string;
  }
  const signUtils: SignUtils;
  export = signUtils;
}
