/** Custom domains of buckets. The ids are `<bucket>:<domain>`. */
import { ignoreMissing, unlessMissing } from "../api-failure";
import { type AlicloudContext, addressOf, cloudOf, resource } from "../context";
import type { XmlFields } from "../oss-api";

interface Cname {
  bucket: string;
  domain: string;
}

const idOf = ({ bucket, domain }: Cname) => `${bucket}:${domain}`;

async function change(context: AlicloudContext, comp: string, { bucket, domain }: Cname, more: XmlFields = {}): Promise<void> {
  const fields = { Cname: { Domain: domain, ...more } };
  await cloudOf(context).oss.post(bucket, "cname", comp, { root: "BucketCnameConfiguration", fields });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/createcnametoken */
export const bucketCnameToken = resource({
  token: "alicloud:oss/bucketCnameToken:BucketCnameToken",
  inputs: { "bucket!": "string", "domain!": "string" },
  computed: ["token"],
  replaceOn: ["bucket", "domain"],
  create: async (context, cname) => {
    await change(context, "token", cname);
    return idOf(cname);
  },
  read: async (context, _id, { bucket, domain }) => {
    const found = await unlessMissing(() => cloudOf(context).oss.get(bucket, { comp: "token", cname: domain }));
    return found && { token: found.Token };
  },
  // OSS has no deletion of a token: it ends after 72 hours.
  delete: async () => undefined,
});

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putcname */
export const bucketCname = resource({
  token: "alicloud:oss/bucketCname:BucketCname",
  inputs: {
    "bucket!": "string",
    "domain!": "string",
    certificate: { certId: "string", certificate: "string", privateKey: "string" },
    deleteCertificate: "boolean",
    force: "boolean",
    previousCertId: "string",
  },
  // The output `domain` is an address, so that a URL of the local bucket has an origin that the program allows.
  computed: ["domain", "status"],
  replaceOn: ["bucket", "domain"],
  create: async (context, given) => {
    await change(context, "add", given, certificateOf(given));
    return idOf(given);
  },
  read: async (context, _id, { bucket, domain }) => {
    const listed = await unlessMissing(() => cloudOf(context).oss.get(bucket, "cname"));
    const cnames = [listed?.Cname ?? []].flat() as { Domain: string; Status: string }[];
    const found = cnames.find(({ Domain }) => Domain === domain.toLowerCase());
    return found && { domain: addressOf(cloudOf(context), domain), status: found.Status };
  },
  update: (context, _id, news) => change(context, "add", news, certificateOf(news)),
  delete: (context, _id, given) => ignoreMissing(() => change(context, "delete", given)),
});

function certificateOf(given: {
  certificate?: { certId?: string | undefined; certificate?: string | undefined; privateKey?: string | undefined } | undefined;
  deleteCertificate?: boolean | undefined;
  force?: boolean | undefined;
  previousCertId?: string | undefined;
}): XmlFields {
  const { certificate, deleteCertificate, force, previousCertId } = given;
  if (certificate === undefined && deleteCertificate !== true) return {};
  return {
    CertificateConfiguration: {
      CertId: certificate?.certId,
      Certificate: certificate?.certificate,
      PrivateKey: certificate?.privateKey,
      PreviousCertId: previousCertId,
      Force: force,
      DeleteCertificate: deleteCertificate,
    },
  };
}
