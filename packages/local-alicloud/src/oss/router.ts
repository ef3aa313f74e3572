import { SUBRESOURCES } from "./auth/subresources";
import type { Exchange } from "./exchange";
import type { Operation } from "./operation";
import { appendObject } from "./operations/append-object";
import {
  deleteAccountAccessBlock,
  deleteBucketPolicy,
  deletePublicAccessBlock,
  getAccountAccessBlock,
  getBucketAcl,
  getBucketPolicy,
  getBucketPolicyStatus,
  getHttpsConfig,
  getPublicAccessBlock,
  putAccountAccessBlock,
  putBucketPolicy,
  putHttpsConfig,
  putPublicAccessBlock,
} from "./operations/bucket-access";
import { DOCUMENTS, deleteDocument, getDocument, preflight, putDocument } from "./operations/bucket-documents";
import {
  changeReplication,
  getReplication,
  getReplicationLocation,
  getReplicationProgress,
  putRtc,
} from "./operations/bucket-replication";
import {
  deleteBucketEncryption,
  deleteBucketTagging,
  deleteTransferAcceleration,
  getBucketEncryption,
  getBucketTagging,
  getBucketVersioning,
  getTransferAcceleration,
  putBucketEncryption,
  putBucketTagging,
  putBucketVersioning,
  putTransferAcceleration,
} from "./operations/bucket-settings";
import {
  deleteBucket,
  describeRegions,
  getBucketInfo,
  getBucketLocation,
  getBucketStat,
  headBucket,
  listBuckets,
  putBucket,
  setOrCreateWithAcl,
} from "./operations/buckets";
import { changeCname, getCnameToken, listCname } from "./operations/cname";
import { copyObject, uploadPartCopy } from "./operations/copy-object";
import { deleteObject, deleteObjects } from "./operations/delete-object";
import { getObject, getObjectMeta, headObject } from "./operations/get-object";
import { deleteInventory, getInventory, listInventories, putInventory } from "./operations/inventory";
import { deleteLifecycle, getLifecycle, putLifecycle } from "./operations/lifecycle";
import { listObjects } from "./operations/list-objects";
import { listObjectVersions } from "./operations/list-versions";
import { listLiveChannels } from "./operations/live-channels";
import { abortMultipartUpload, completeMultipartUpload } from "./operations/multipart-end";
import { listMultipartUploads, listParts } from "./operations/multipart-list";
import { initiateMultipartUpload, uploadPart } from "./operations/multipart-start";
import {
  deleteObjectTagging,
  getObjectAcl,
  getObjectTagging,
  putObjectAcl,
  putObjectTagging,
} from "./operations/object-settings";
import { postObject } from "./operations/post-object";
import { putObject } from "./operations/put-object";
import { cleanRestoredObject, restoreObject } from "./operations/restore-object";
import { getSymlink, putSymlink } from "./operations/symlink";
import { methodNotAllowed, OssError } from "./oss-error";
import type { Target } from "./target";

export type Level = "service" | "bucket" | "object";

export interface Route {
  level: Level;
  method: string;
  /** The request must have all of these query parameters. */
  query?: readonly string[];
  /** The request must have this header. */
  header?: string;
  run: (operation: Operation) => Promise<void>;
  /** The bucket need not exist, and may belong to another account. */
  createsBucket?: true;
  /** The bucket need not exist, and the operation creates it then. */
  mayCreateBucket?: true;
  /** An operation on a bucket that reads or writes objects, or their names. */
  carriesData?: true;
}

const on = (level: Level, method: string, run: Route["run"], query: string[] = [], header?: string): Route => ({
  level,
  method,
  query,
  run,
  ...(header === undefined ? {} : { header }),
});

/** Routes of a bucket setting, which has one subresource. */
function setting(name: string, put: Route["run"], get: Route["run"], remove?: Route["run"]): Route[] {
  const routes = [on("bucket", "PUT", put, [name]), on("bucket", "GET", get, [name])];
  return remove === undefined ? routes : [...routes, on("bucket", "DELETE", remove, [name])];
}

/** A route of a bucket's data. */
const data = (...route: Parameters<typeof on>): Route => ({ ...on(...route), carriesData: true });

/** The first match is used, so more specific routes come first. */
const ROUTES: readonly Route[] = [
  on("service", "GET", describeRegions, ["regions"]),
  on("service", "PUT", putAccountAccessBlock, ["publicAccessBlock"]),
  on("service", "GET", getAccountAccessBlock, ["publicAccessBlock"]),
  on("service", "DELETE", deleteAccountAccessBlock, ["publicAccessBlock"]),
  // The tags by which the listing is filtered.
  on("service", "GET", listBuckets, ["tagging"]),
  on("service", "GET", listBuckets),

  data("bucket", "POST", deleteObjects, ["delete"]),
  data("bucket", "GET", listMultipartUploads, ["uploads"]),
  on("bucket", "GET", getBucketInfo, ["bucketInfo"]),
  on("bucket", "GET", getBucketLocation, ["location"]),
  on("bucket", "GET", getBucketStat, ["stat"]),
  on("bucket", "GET", listLiveChannels, ["live"]),
  data("bucket", "GET", listObjectVersions, ["versions"]),
  ...setting("versioning", putBucketVersioning, getBucketVersioning),
  { ...on("bucket", "PUT", setOrCreateWithAcl, ["acl"]), mayCreateBucket: true },
  on("bucket", "GET", getBucketAcl, ["acl"]),
  ...setting("policy", putBucketPolicy, getBucketPolicy, deleteBucketPolicy),
  on("bucket", "GET", getBucketPolicyStatus, ["policyStatus"]),
  ...setting("publicAccessBlock", putPublicAccessBlock, getPublicAccessBlock, deletePublicAccessBlock),
  ...setting("httpsConfig", putHttpsConfig, getHttpsConfig),
  ...setting("encryption", putBucketEncryption, getBucketEncryption, deleteBucketEncryption),
  ...setting("lifecycle", putLifecycle, getLifecycle, deleteLifecycle),
  ...setting("tagging", putBucketTagging, getBucketTagging, deleteBucketTagging),
  ...setting("transferAcceleration", putTransferAcceleration, getTransferAcceleration, deleteTransferAcceleration),
  ...DOCUMENTS.flatMap((document) => [
    on("bucket", "GET", getDocument(document), [document.name]),
    ...document.can.map((method) =>
      on("bucket", method, method === "PUT" ? putDocument(document) : deleteDocument(document), [document.name]),
    ),
  ]),
  on("bucket", "PUT", putInventory, ["inventory", "inventoryId"]),
  on("bucket", "GET", getInventory, ["inventory", "inventoryId"]),
  on("bucket", "DELETE", deleteInventory, ["inventory", "inventoryId"]),
  on("bucket", "GET", listInventories, ["inventory"]),
  on("bucket", "POST", changeCname, ["cname", "comp"]),
  on("bucket", "GET", getCnameToken, ["cname", "comp"]),
  on("bucket", "GET", listCname, ["cname"]),
  on("bucket", "POST", changeReplication, ["replication", "comp"]),
  on("bucket", "GET", getReplication, ["replication"]),
  on("bucket", "GET", getReplicationProgress, ["replicationProgress"]),
  on("bucket", "GET", getReplicationLocation, ["replicationLocation"]),
  on("bucket", "PUT", putRtc, ["rtc"]),
  on("bucket", "OPTIONS", preflight),
  { level: "bucket", method: "PUT", run: putBucket, createsBucket: true },
  data("bucket", "GET", listObjects),
  // Only S3 has it.
  on("bucket", "HEAD", headBucket),
  data("bucket", "POST", postObject),
  on("bucket", "DELETE", deleteBucket),

  on("object", "POST", initiateMultipartUpload, ["uploads"]),
  on("object", "POST", completeMultipartUpload, ["uploadId"]),
  on("object", "POST", appendObject, ["append"]),
  on("object", "POST", restoreObject, ["restore"]),
  on("object", "POST", cleanRestoredObject, ["cleanRestoredObject"]),
  on("object", "PUT", uploadPartCopy, ["uploadId", "partNumber"], "x-oss-copy-source"),
  on("object", "PUT", uploadPart, ["uploadId", "partNumber"]),
  on("object", "GET", listParts, ["uploadId"]),
  on("object", "DELETE", abortMultipartUpload, ["uploadId"]),
  on("object", "HEAD", getObjectMeta, ["objectMeta"]),
  on("object", "GET", getObjectMeta, ["objectMeta"]),
  on("object", "PUT", putSymlink, ["symlink"]),
  on("object", "GET", getSymlink, ["symlink"]),
  on("object", "PUT", putObjectTagging, ["tagging"]),
  on("object", "GET", getObjectTagging, ["tagging"]),
  on("object", "DELETE", deleteObjectTagging, ["tagging"]),
  on("object", "PUT", putObjectAcl, ["acl"]),
  on("object", "GET", getObjectAcl, ["acl"]),
  on("object", "PUT", copyObject, [], "x-oss-copy-source"),
  on("object", "PUT", putObject),
  on("object", "GET", getObject),
  on("object", "HEAD", headObject),
  // A client may name what it deletes.
  on("object", "DELETE", deleteObject, ["symlink"]),
  on("object", "DELETE", deleteObject),
  on("object", "OPTIONS", preflight),
];

/** OSS lists a few settings of buckets beside these. Their documents are those of S3, which this server does not have. */
const FOR_CLIENTS_OF_S3: ReadonlySet<Route["run"]> = new Set([
  ...[listBuckets, putBucket, deleteBucket, headBucket, getBucketLocation, listObjects],
  ...[putObject, getObject, headObject, copyObject, deleteObject, deleteObjects],
  ...[initiateMultipartUpload, uploadPart, uploadPartCopy, listParts, completeMultipartUpload, abortMultipartUpload],
]);

/** @throws OssError `NotImplemented` */
export function assertServesS3({ run }: Route, exchange: Exchange): void {
  if (FOR_CLIENTS_OF_S3.has(run)) return;
  const wanted = `${exchange.method} ?${[...exchange.query.keys()].join("&")}`;
  throw new OssError(501, "NotImplemented", `The local OSS has no ${wanted} for clients of S3.`);
}

/** Subresources that select an operation and that no signature of version 1 covers. */
const UNSIGNED = new Set(["accessmonitor", "dataPipeline", "objectWorm", "overwriteConfig", "regions"]);

/** Subresources that modify an operation and do not select one. */
const REFINING =
  /^(?:response-.+|versionId|position|security-token|continuation-token|x-oss-traffic-limit|x-oss-request-payer|callback|callback-var)$/;

/** Whether a request is a form of a browser. https://www.alibabacloud.com/help/en/oss/developer-reference/postobject */
export const isFormUpload = (exchange: Exchange, level: Level): boolean =>
  level === "bucket" && exchange.method === "POST" && /^multipart\/form-data\b/i.test(exchange.header("content-type") ?? "");

export const levelOf = ({ bucket, key }: Target): Level =>
  bucket === undefined ? "service" : key === undefined ? "bucket" : "object";

/** @throws OssError `NotImplemented` for an operation of OSS that this server does not have */
export function findRoute(exchange: Exchange, level: Level): Route {
  const chosen = ROUTES.find(
    ({ level: routeLevel, method, query = [], header }) =>
      routeLevel === level &&
      method === exchange.method &&
      query.every((name) => exchange.query.has(name)) &&
      (header === undefined || exchange.header(header) !== undefined),
  );
  if (chosen === undefined) throw methodNotAllowed(exchange.method, level);
  const known = new Set(chosen.query);
  const other = [...exchange.query.keys()].find(
    (name) => (SUBRESOURCES.has(name) || UNSIGNED.has(name)) && !known.has(name) && !REFINING.test(name),
  );
  if (other !== undefined)
    throw new OssError(501, "NotImplemented", `The local OSS has no ${exchange.method} ?${other} of a ${level}.`);
  return chosen;
}
