/** Custom domains of a bucket. https://www.alibabacloud.com/help/en/oss/developer-reference/putcname */
import { randomBytes, X509Certificate } from "node:crypto";
import { EC } from "../error-codes";
import type { Operation } from "../operation";
import { invalidArgument, OssError } from "../oss-error";
import type { BoundDomain, DomainCertificate } from "../store/model";
import { type XmlFields, xmlTime } from "../xml";
import { parseXmlBody, type XmlElement } from "../xml-body";

const TOKEN_MS = 72 * 3_600_000;
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const DOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})+$`);
/** https://www.alibabacloud.com/help/en/oss/user-guide/0018-00000401 */
const RESERVED = ["aliyuncs.com", "aliyun.com", "aliyun-inc.com", "taobaocdn.com", "taobao.com"];

/** `comp=add`, `comp=delete` and `comp=token`. */
export async function changeCname(operation: Operation): Promise<void> {
  const comp = operation.exchange.query.get("comp") ?? "";
  if (comp === "add") await putCname(operation);
  else if (comp === "delete") await deleteCname(operation);
  else if (comp === "token") await createCnameToken(operation);
  else throw invalidArgument("comp must be add, delete or token.", { name: "comp", value: comp });
}

function assertDomain(domain: string): void {
  const isReserved = RESERVED.some((name) => domain === name || domain.endsWith(`.${name}`));
  if (DOMAIN.test(domain) && !isReserved) return;
  throw new OssError(400, "InvalidArgument", "The custom domain is not a domain name, or its end is reserved.", {
    details: { ArgumentName: "Domain", ArgumentValue: domain },
    ec: EC.domainName,
  });
}

async function readCname({ exchange }: Operation): Promise<{ domain: string; cname: XmlElement }> {
  const cname = (await parseXmlBody(await exchange.readDocument(), "BucketCnameConfiguration")).required("Cname");
  const domain = cname.required("Domain").text.trim().toLowerCase();
  assertDomain(domain);
  return { domain, cname };
}

async function putCname(operation: Operation): Promise<void> {
  operation.permit("oss:PutCname");
  const { bucket, domains, now, exchange } = operation;
  const { domain, cname } = await readCname(operation);
  const wanted = cname.first("CertificateConfiguration");
  await domains.bind(bucket, domain, (known): BoundDomain => {
    const certificate = wanted === undefined ? known?.certificate : certificateOf(wanted, bucket.record.region, now);
    return { domain, boundAt: known?.boundAt ?? now, ...(certificate === undefined ? {} : { certificate }) };
  });
  exchange.send(200);
}

/** Undefined when the request removes the certificate. Its private key is not kept. */
function certificateOf(wanted: XmlElement, region: string, now: number): DomainCertificate | undefined {
  const text = (name: string) => wanted.first(name)?.text.trim() || undefined;
  if (text("DeleteCertificate") === "true") return undefined;
  const pem = text("Certificate");
  const certId = text("CertId") ?? (pem === undefined ? undefined : `${randomBytes(4).readUInt32BE()}-${region}`);
  if (certId === undefined)
    throw invalidArgument("A certificate needs CertId or Certificate.", { name: "CertificateConfiguration", value: "" });
  if (pem === undefined) return { certId, boundAt: now };
  try {
    const { fingerprint, validFrom, validTo } = new X509Certificate(pem);
    return { certId, boundAt: now, fingerprint, validFrom: Date.parse(validFrom), validTo: Date.parse(validTo) };
  } catch {
    throw invalidArgument("The certificate is not a certificate in PEM.", { name: "Certificate", value: pem.slice(0, 60) });
  }
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/deletecname */
async function deleteCname(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteCname");
  const { bucket, domains, exchange } = operation;
  const { domain } = await readCname(operation);
  await domains.unbind(bucket, domain);
  exchange.send(200);
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/createcnametoken */
async function createCnameToken(operation: Operation): Promise<void> {
  operation.permit("oss:CreateCnameToken");
  const { bucket, now } = operation;
  const { domain } = await readCname(operation);
  const known = bucket.record.domainTokens?.[domain];
  const made = { token: randomBytes(16).toString("hex"), expiresAt: now + TOKEN_MS };
  const token = known !== undefined && known.expiresAt > now ? known : made;
  await bucket.configure(({ domainTokens }) => ({ domainTokens: { ...domainTokens, [domain]: token } }));
  sendToken(operation, domain, token);
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getcnametoken */
export async function getCnameToken(operation: Operation): Promise<void> {
  operation.permit("oss:GetCnameToken");
  const { bucket, exchange, now } = operation;
  const comp = exchange.query.get("comp") ?? "";
  if (comp !== "token") throw invalidArgument("comp must be token.", { name: "comp", value: comp });
  const domain = (exchange.query.get("cname") ?? "").toLowerCase();
  assertDomain(domain);
  const token = bucket.record.domainTokens?.[domain];
  // The documentation names no code.
  if (token === undefined || token.expiresAt <= now)
    throw new OssError(404, "NoSuchCname", "The specified cname has no token.", { details: { Cname: domain } });
  sendToken(operation, domain, token);
}

function sendToken({ bucket, exchange }: Operation, domain: string, { token, expiresAt }: { token: string; expiresAt: number }) {
  const ExpireTime = new Date(expiresAt).toUTCString();
  exchange.sendXml("CnameToken", { Bucket: bucket.name, Cname: domain, Token: token, ExpireTime });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/listcname */
export async function listCname(operation: Operation): Promise<void> {
  operation.permit("oss:ListCname");
  const { bucket, exchange } = operation;
  const { ownerId, domains = [] } = bucket.record;
  exchange.sendXml("ListCnameResult", {
    Bucket: bucket.name,
    Owner: ownerId,
    Cname: domains.map(({ domain, boundAt, certificate }) => ({
      Domain: domain,
      LastModified: xmlTime(boundAt),
      Status: "Enabled",
      Certificate: certificate === undefined ? undefined : certificateFields(certificate),
    })),
  });
}

function certificateFields({ certId, boundAt, fingerprint, validFrom, validTo }: DomainCertificate): XmlFields {
  const time = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toUTCString());
  return {
    Type: "CAS",
    CertId: certId,
    Status: "Enabled",
    CreationDate: time(boundAt),
    Fingerprint: fingerprint,
    ValidStartDate: time(validFrom),
    ValidEndDate: time(validTo),
  };
}
