/**
 * Settings of a bucket that are stored and returned as documents. Only CORS rules and the resource group have an effect.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/bucket-operations
 */
import { corsHeaders, isHeaderText } from "../cors";
import { EC } from "../error-codes";
import type { Operation } from "../operation";
import { invalidArgument, malformedXml, OssError } from "../oss-error";
import type { BucketRecord } from "../store/model";
import type { XmlFields, XmlValue } from "../xml";
import { parseXmlBody, type XmlElement } from "../xml-body";
import { readBoolean } from "./bucket-access";
import { usesAccessTime } from "./lifecycle";
import { checkWebsite, showWebsite } from "./website";

export interface StoredDocument {
  /** The subresource. */
  name: string;
  root: string;
  /** The end of the actions in RAM, e.g. `BucketCors` of `oss:PutBucketCors`. */
  action: string;
  /** The answer for a bucket where it was never put: an error, or the default document. */
  absent: (record: Readonly<BucketRecord>) => XmlFields | OssError;
  /** @throws OssError when the document is not valid */
  check?: (document: XmlElement, operation: Operation) => void;
  /** What else the bucket keeps of a document. */
  kept?: (document: XmlElement, operation: Operation) => Partial<BucketRecord>;
  /** Adds what OSS adds to a document. */
  shown?: (stored: XmlFields, record: Readonly<BucketRecord>) => XmlFields;
  /** A setting that cannot be put here is read-only. */
  can: readonly ("PUT" | "DELETE")[];
}

const missing =
  (code: string, message: string) =>
  ({ name }: Readonly<BucketRecord>): OssError =>
    new OssError(404, code, message, { details: { BucketName: name } });

const badValue = (name: string, value: string) => invalidArgument(`The value of ${name} is not valid.`, { name, value });

/** The id of the account's default resource group, the only one here. */
export const resourceGroupOf = ({ ownerId }: Readonly<BucketRecord>): string => `rg-acfm${ownerId.slice(-11)}`;

const MAX_CORS_RULES = 10;
const CORS_METHODS = new Set(["GET", "PUT", "DELETE", "POST", "HEAD"]);

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketcors */
function checkCors(document: XmlElement): void {
  const rules = document.all("CORSRule");
  if (rules.length === 0) throw malformedXml("CORSConfiguration needs at least one CORSRule.");
  if (rules.length > MAX_CORS_RULES)
    throw new OssError(400, "CORSRuleBeyondLimit", `The CORS Rules num is beyond limit: ${MAX_CORS_RULES}.`);
  for (const rule of rules) {
    const texts = (name: string) => rule.all(name).map(({ text }) => text.trim());
    if (texts("AllowedOrigin").length === 0 || texts("AllowedMethod").length === 0)
      throw malformedXml("A CORSRule needs AllowedOrigin and AllowedMethod.");
    const method = texts("AllowedMethod").find((one) => !CORS_METHODS.has(one));
    if (method !== undefined) throw badValue("AllowedMethod", method);
    for (const name of ["AllowedOrigin", "AllowedHeader"]) {
      const pattern = texts(name).find((one) => one.split("*").length > 2);
      if (pattern !== undefined) throw badValue(name, pattern);
    }
    const exposed = texts("ExposeHeader").find((one) => !isHeaderText(one));
    if (exposed !== undefined) throw badValue("ExposeHeader", exposed);
    const age = rule.first("MaxAgeSeconds")?.text.trim();
    if (age !== undefined && age !== "" && !/^\d{1,9}$/.test(age)) throw badValue("MaxAgeSeconds", age);
  }
}

/** OSS returns the names of headers in lower case: the suites of the SDKs for Python expect it. */
function showCors({ ResponseVary = "false", CORSRule = [], ...rest }: XmlFields): XmlFields {
  const lower = (value: XmlValue): XmlValue =>
    typeof value === "string" ? value.toLowerCase() : Array.isArray(value) ? value.map(lower) : value;
  const rules = [CORSRule].flat().map((rule) => {
    const { AllowedHeader, ...others } = rule as XmlFields;
    return AllowedHeader === undefined ? others : { ...others, AllowedHeader: lower(AllowedHeader) };
  });
  return { CORSRule: rules, ...rest, ResponseVary };
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketlogging */
function checkLogging(document: XmlElement, { store, bucket }: Operation): void {
  const enabled = document.first("LoggingEnabled");
  if (enabled === undefined) return;
  const name = enabled.required("TargetBucket").text.trim();
  const target = store.find(name)?.record;
  const { ownerId, region } = bucket.record;
  if (target === undefined || target.ownerId !== ownerId || target.region !== region)
    throw new OssError(
      400,
      "InvalidTargetBucketForLogging",
      "The target bucket for logging does not exist, is not owned by you, or is in another region.",
      { details: { TargetBucket: name } },
    );
}

function checkReferer(document: XmlElement): void {
  readBoolean(document.required("AllowEmptyReferer"));
  for (const name of ["AllowTruncateQueryString", "TruncatePath"]) {
    const element = document.first(name);
    if (element !== undefined) readBoolean(element);
  }
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketreferer */
const showReferer = (stored: XmlFields): XmlFields => ({
  AllowEmptyReferer: stored.AllowEmptyReferer ?? "true",
  AllowTruncateQueryString: stored.AllowTruncateQueryString ?? "true",
  TruncatePath: stored.TruncatePath ?? "false",
  RefererList: stored.RefererList ?? "",
  RefererBlacklist: stored.RefererBlacklist,
});

const oneOf =
  (name: string, values: readonly string[]) =>
  (document: XmlElement): void => {
    const value = document.required(name).text.trim();
    if (!values.includes(value)) throw malformedXml(`${name} must be ${values.join(" or ")}, not ${value}.`);
  };

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketaccessmonitor */
function checkAccessMonitor(document: XmlElement, { bucket }: Operation): void {
  oneOf("Status", ["Enabled", "Disabled"])(document);
  const { lifecycle } = bucket.record;
  if (document.required("Status").text.trim() === "Enabled" || lifecycle === undefined || !usesAccessTime(lifecycle)) return;
  throw new OssError(400, "InvalidRequest", "Access monitoring is needed by a lifecycle rule that is based on access times.", {
    ec: EC.accessMonitorInUse,
  });
}

/** An object counts as read when access monitoring was enabled. Enabling it again changes nothing. */
function accessMonitoredSince(document: XmlElement, { bucket, now }: Operation): Partial<BucketRecord> {
  const enabled = document.required("Status").text.trim() === "Enabled";
  return { accessMonitoredSince: enabled ? (bucket.record.accessMonitoredSince ?? now) : undefined };
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketresourcegroup */
function checkGroup(document: XmlElement, { bucket }: Operation): void {
  const id = document.required("ResourceGroupId").text.trim();
  if (id !== "" && id !== resourceGroupOf(bucket.record))
    throw new OssError(400, "ResourceGroupIdPreCheckError", "The resource group id precheck error", {
      details: { ResourceGroupId: id },
    });
}

function checkCapacity(document: XmlElement): void {
  const text = document.required("StorageCapacity").text.trim();
  if (!/^(?:-1|\d{1,15})$/.test(text)) throw badValue("StorageCapacity", text);
}

const ALL = ["PUT", "DELETE"] as const;

export const DOCUMENTS: readonly StoredDocument[] = [
  {
    name: "cors",
    root: "CORSConfiguration",
    action: "BucketCors",
    absent: missing("NoSuchCORSConfiguration", "The CORS Configuration does not exist."),
    check: checkCors,
    shown: showCors,
    can: ALL,
  },
  {
    name: "website",
    root: "WebsiteConfiguration",
    action: "BucketWebsite",
    absent: missing("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration."),
    check: checkWebsite,
    shown: showWebsite,
    can: ALL,
  },
  {
    name: "logging",
    root: "BucketLoggingStatus",
    action: "BucketLogging",
    absent: () => ({}),
    check: checkLogging,
    can: ALL,
  },
  {
    name: "userDefinedLogFieldsConfig",
    root: "UserDefinedLogFieldsConfiguration",
    action: "UserDefinedLogFieldsConfig",
    absent: missing("NoSuchUserDefinedLogFieldsConfig", "The specified bucket does not have user-defined log fields."),
    can: ALL,
  },
  // OSS has no deletion of it: a client puts the default document.
  {
    name: "referer",
    root: "RefererConfiguration",
    action: "BucketReferer",
    absent: () => showReferer({}),
    check: checkReferer,
    shown: showReferer,
    can: ["PUT"],
  },
  {
    name: "requestPayment",
    root: "RequestPaymentConfiguration",
    action: "BucketRequestPayment",
    absent: () => ({ Payer: "BucketOwner" }),
    check: oneOf("Payer", ["BucketOwner", "Requester"]),
    can: ["PUT"],
  },
  {
    name: "accessmonitor",
    root: "AccessMonitorConfiguration",
    action: "BucketAccessMonitor",
    absent: () => ({ Status: "Disabled" }),
    check: checkAccessMonitor,
    kept: accessMonitoredSince,
    can: ["PUT"],
  },
  {
    name: "resourceGroup",
    root: "BucketResourceGroupConfiguration",
    action: "BucketResourceGroup",
    absent: (record) => ({ ResourceGroupId: resourceGroupOf(record) }),
    check: checkGroup,
    // An empty id stands for the default group.
    shown: (_stored, record) => ({ ResourceGroupId: resourceGroupOf(record) }),
    can: ["PUT"],
  },
  {
    name: "qos",
    root: "BucketUserQos",
    action: "BucketStorageCapacity",
    absent: () => ({ StorageCapacity: "-1" }),
    check: checkCapacity,
    can: ["PUT"],
  },
  {
    name: "worm",
    root: "WormConfiguration",
    action: "BucketWorm",
    absent: missing("NoSuchWORMConfiguration", "The WORM Configuration does not exist."),
    can: [],
  },
];

export const putDocument =
  ({ name, root, action, check, kept }: StoredDocument) =>
  async (operation: Operation): Promise<void> => {
    operation.permit(`oss:Put${action}`);
    const { bucket, exchange } = operation;
    const document = await parseXmlBody(await exchange.readDocument(), root);
    check?.(document, operation);
    const more = kept?.(document, operation) ?? {};
    await bucket.configure(({ documents }) => ({ documents: { ...documents, [name]: document.toFields() }, ...more }));
    exchange.send(200);
  };

export const getDocument =
  ({ name, root, action, absent, shown }: StoredDocument) =>
  async (operation: Operation): Promise<void> => {
    operation.permit(`oss:Get${action}`);
    const { record } = operation.bucket;
    const stored = record.documents?.[name];
    const answer = stored === undefined ? absent(record) : (shown?.(stored, record) ?? stored);
    if (answer instanceof OssError) throw answer;
    operation.exchange.sendXml(root, answer);
  };

export const deleteDocument =
  ({ name, action }: StoredDocument) =>
  async (operation: Operation): Promise<void> => {
    operation.permit(`oss:Delete${action}`);
    await operation.bucket.configure(({ documents = {} }) => {
      const { [name]: _removed, ...others } = documents;
      return { documents: others };
    });
    operation.exchange.send(204);
  };

/**
 * The question of a browser before a request of another origin. It is not signed.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/optionobject
 */
export async function preflight({ bucket, exchange }: Operation): Promise<void> {
  const header = (name: string) => exchange.header(name);
  const method = header("access-control-request-method");
  if (header("origin") === undefined)
    throw new OssError(400, "BadRequest", "Insufficient information. Origin request header needed.");
  if (method === undefined)
    throw new OssError(400, "BadRequest", "Insufficient information. Request Access-Control-Request-Method header needed.");
  const headers = corsHeaders(bucket.record, header, method);
  if (Object.keys(headers).length === 0)
    throw new OssError(
      403,
      "AccessForbidden",
      "CORSResponse: This CORS request is not allowed: no CORS rule of the bucket fits its Origin, method and headers.",
    );
  exchange.send(200, headers);
}
