import { type OssClientOptions, ossClient } from "../../oss-client";
import { isObject, type Properties } from "../values";

interface Request {
  method: "GET" | "PUT" | "POST" | "DELETE";
  bucket: string;
  subres?: Record<string, string>;
  headers?: Record<string, string>;
  mime?: "xml" | "json";
  content?: string;
  successStatuses: number[];
  xmlResponse?: boolean;
}

/** Methods of ali-oss that are missing in its types. */
interface Untyped {
  request(request: Request): Promise<Answer>;
  getBucketVersions(query: object): Promise<{ objects: Version[]; deleteMarker: Version[] }>;
  deleteMulti(names: { key: string; versionId: string }[], options: { quiet: boolean }): Promise<unknown>;
}

interface Answer {
  data: unknown;
  res: { headers: Readonly<Record<string, string | undefined>> };
}

interface Version {
  name: string;
  versionId: string;
}

/** The content of a setting, as XML or JSON. */
export type Document = { root: string; fields: XmlFields } | { json: string };

/** The page of a listing, and the rounds in five minutes: the pauses between them grow to 10 s. */
const FORCED_PAGE = 100;
const FORCED_ROUNDS = 33;
const NO_OBJECTS: Document = { root: "Delete", fields: { Quiet: false } };

/**
 * Buckets and their settings, with ali-oss and as the account's root. It works in one region, because OSS accepts the operations of
 * a bucket only at the endpoint of its region.
 */
export class OssApi {
  private readonly client: Untyped;

  constructor(private readonly options: Omit<OssClientOptions, "bucket">) {
    this.client = ossClient(options) as unknown as Untyped;
  }

  /** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucket */
  async createBucket(bucket: string, acl: string, fields: XmlFields): Promise<void> {
    const content = xmlDocument("CreateBucketConfiguration", fields);
    await this.send({ method: "PUT", bucket, headers: { "x-oss-acl": acl }, mime: "xml", content });
  }

  async deleteBucket(bucket: string): Promise<void> {
    await this.send({ method: "DELETE", bucket });
  }

  async putAcl(bucket: string, acl: string): Promise<void> {
    await this.send({ method: "PUT", bucket, subres: { acl: "" }, headers: { "x-oss-acl": acl } });
  }

  async put(bucket: string, setting: string, document: Document): Promise<void> {
    await this.send({ method: "PUT", bucket, subres: { [setting]: "" }, ...body(document) });
  }

  /** `comp` is the operation on the setting, e.g. `add` a rule. @returns the headers of the answer */
  async post(bucket: string, setting: string, comp: string, document: Document): Promise<Answer["res"]["headers"]> {
    const { res } = await this.send({ method: "POST", bucket, subres: { [setting]: "", comp }, ...body(document) });
    return res.headers;
  }

  /** The children of the root element: a text, children, or a list of these. @throws Error of status 404 when it is not set */
  async get(bucket: string, setting: string | Record<string, string>): Promise<Properties> {
    const subres = typeof setting === "string" ? { [setting]: "" } : setting;
    const { data } = await this.send({ method: "GET", bucket, subres, xmlResponse: true });
    return isObject(data) ? data : {};
  }

  /** Settings that are JSON. */
  async getJson(bucket: string, setting: string): Promise<unknown> {
    const { data } = await this.send({ method: "GET", bucket, subres: { [setting]: "" } });
    return JSON.parse(String(data));
  }

  async remove(bucket: string, setting: string): Promise<void> {
    await this.send({ method: "DELETE", bucket, subres: { [setting]: "" } });
  }

  /** The account's buckets in every region whose names have this prefix. */
  async buckets(prefix: string): Promise<{ name: string; region: string }[]> {
    const found: { name: string; region: string }[] = [];
    let marker = "";
    do {
      const query = { "max-keys": "1000", ...(prefix === "" ? {} : { prefix }), ...(marker === "" ? {} : { marker }) };
      const { data } = await this.send({ method: "GET", bucket: "", subres: query, xmlResponse: true });
      const page = data as { Buckets?: { Bucket?: unknown }; NextMarker?: string };
      for (const one of [page.Buckets?.Bucket ?? []].flat() as { Name: string; Region: string }[]) {
        found.push({ name: one.Name, region: one.Region });
      }
      marker = page.NextMarker ?? "";
    } while (marker !== "");
    return found;
  }

  /** https://www.alibabacloud.com/help/en/oss/developer-reference/describeregions */
  async regions(): Promise<string[]> {
    const { RegionInfo = [] } = await this.get("", "regions");
    return ([RegionInfo].flat() as { Region: string }[]).map(({ Region }) => Region.replace(/^oss-/, ""));
  }

  /**
   * Deletes a bucket as the real provider does with `forceDestroy`: a page of versions a round, as long as the bucket is not empty, and
   * never an upload. https://github.com/aliyun/terraform-provider-alicloud/blob/v1.285.0/alicloud/resource_alicloud_oss_bucket.go
   * @throws Error `BucketNotEmpty` for more versions than fit into the provider's five minutes; `MalformedXML` for an upload that is left
   */
  async emptyAndDelete(bucket: string, rounds = FORCED_ROUNDS): Promise<void> {
    const client = ossClient({ ...this.options, bucket }) as unknown as Untyped;
    for (let round = 1; ; round++) {
      try {
        return await this.deleteBucket(bucket);
      } catch (error) {
        if ((error as { code?: string }).code !== "BucketNotEmpty" || round > rounds) throw error;
      }
      const { objects, deleteMarker } = await client.getBucketVersions({ maxKeys: FORCED_PAGE });
      const names = [...objects, ...deleteMarker].map(({ name: key, versionId }) => ({ key, versionId }));
      // The provider sends a list also if it is empty.
      if (names.length === 0) await this.send({ method: "POST", bucket, subres: { delete: "" }, ...body(NO_OBJECTS) });
      else await client.deleteMulti(names, { quiet: true });
    }
  }

  private send(request: Omit<Request, "successStatuses">): Promise<Answer> {
    return this.client.request({ ...request, successStatuses: [200, 204] });
  }
}

function body(document: Document): Pick<Request, "mime" | "content"> {
  if ("json" in document) return { mime: "json", content: document.json };
  return { mime: "xml", content: xmlDocument(document.root, document.fields) };
}

/** Elements in their order. Undefined leaves an element out; an array repeats it. */
export interface XmlFields {
  readonly [name: string]: XmlValue | readonly XmlValue[];
}
type XmlValue = string | number | boolean | undefined | XmlFields;

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function xmlDocument(root: string, fields: XmlFields): string {
  const content = Object.entries(fields).flatMap(([name, values]) =>
    [values].flat().map((value) => {
      if (value === undefined) return "";
      if (isObject(value)) return xmlDocument(name, value as XmlFields);
      return `<${name}>${String(value).replace(/[&<>]/g, (character) => ESCAPES[character] ?? character)}</${name}>`;
    }),
  );
  return `<${root}>${content.join("")}</${root}>`;
}
