/** Clients of one side in Alibaba Cloud, for calls that only read. */

import { exchange } from "../../../runtime/http/exchange";
import type { RenewingAgent } from "../../../runtime/http/renewing-agent";
import { parseXml, type XmlElement } from "../../../runtime/http/xml";
import { createControlApi } from "../../../runtime/platforms/alicloud-fc/control-api";
import { ControlError } from "../../../runtime/platforms/alicloud-fc/errors";
import { textAt } from "../../../runtime/protocol/json";
import { BridgeError } from "../../../runtime/stores/errors";
import { createOssDispatcher } from "../../../runtime/stores/oss/client";
import { ossPath, ossRegion, ossTarget } from "../../../runtime/stores/oss/endpoint";
import { type OssQueries, signOssRequest } from "../../../runtime/stores/oss/sign";
import { abortable } from "../../concurrency";
import type { AlicloudAccess } from "../../operated-bridge";

const ANSWER_TIMEOUT_MS = 15_000;
const FC_VERSION = "2023-03-30";

/** An answer of OSS about a bucket. */
export interface BucketAnswer {
  status: number;
  /** The code of a refusal, such as `NoSuchBucket`. */
  code: string | undefined;
  /** Undefined for an answer that is no XML. */
  document: XmlElement | undefined;
  /** The body as text. The answer to `?policy` is JSON. */
  text: string;
}

export interface ReadCall {
  /** Such as `kms.cn-shanghai.aliyuncs.com`. */
  host: string;
  action: string;
  version: string;
  query?: Record<string, string>;
  /** The path of a call in ROA style. */
  path?: string;
  signal: AbortSignal;
}

export class AlicloudClients {
  readonly kind = "alicloud";
  readonly dispatcher: RenewingAgent;
  private asked: Promise<string> | undefined;

  constructor(
    readonly access: AlicloudAccess,
    private readonly now: () => number,
  ) {
    this.dispatcher = createOssDispatcher({ ca: access.ca });
  }

  /** The account that the credentials belong to. Asked once. https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity */
  accountId(signal: AbortSignal): Promise<string> {
    const { region } = this.access;
    this.asked ??= this.read({
      ...{ host: `sts.${region}.aliyuncs.com`, action: "GetCallerIdentity", version: "2015-04-01", query: {}, signal },
    }).then((body) => {
      const id = textAt(body, "AccountId");
      if (id === undefined) throw new BridgeError("Unexpected", "identity", "STS answered GetCallerIdentity without an account");
      return id;
    });
    return this.asked;
  }

  /** Calls a control API. @returns the answer, parsed from JSON */
  async read({ host, action, version, query = {}, path, signal }: ReadCall): Promise<unknown> {
    const { credentials, originOf, ca } = this.access;
    const { accessKeyId, accessKeySecret, securityToken = "" } = await credentials();
    const api = createControlApi({
      host,
      originOf,
      ca,
      credentials: { current: () => ({ accessKeyId, accessKeySecret, securityToken }) },
      clock: { now: this.now, after: (ms) => AbortSignal.timeout(ms) },
    });
    const call = api.call({
      ...{ op: action, what: `${host} refuses ${action}`, action, version, query },
      ...(path === undefined ? {} : { method: "GET" as const, roa: { pathname: path, headers: {}, body: Buffer.alloc(0) } }),
    });
    return (await abortable(signal, call)).body;
  }

  /** GET of Function Compute, under the version. @returns undefined for what is not there */
  async functionCompute(action: string, path: string, signal: AbortSignal): Promise<unknown> {
    const host = `fcv3.${this.access.region}.aliyuncs.com`;
    return this.read({ host, action, version: FC_VERSION, path: `/${FC_VERSION}${path}`, signal }).catch((error: unknown) => {
      if (error instanceof ControlError && error.kind === "NotFound") return undefined;
      throw error;
    });
  }

  /** The origin of the region's public endpoint of OSS. */
  storeOrigin(): string {
    return this.access.originOf(`oss-${ossRegion(this.access.region)}.aliyuncs.com`);
  }

  /** A signed GET about a bucket. Does not reject for a refusal. */
  async bucket(bucket: string, queries: OssQueries, signal: AbortSignal): Promise<BucketAnswer> {
    const target = ossTarget(this.storeOrigin(), bucket);
    const region = ossRegion(this.access.region);
    const signing = { method: "GET", bucket, queries, headers: {} };
    const answer = await exchange(this.dispatcher, {
      ...{ origin: target.origin, path: ossPath(target, undefined, queries), method: "GET", signal },
      headers: signOssRequest(signing, await this.access.credentials(), region, this.now()),
      ...{ answerTimeoutMs: ANSWER_TIMEOUT_MS, bodyIdleMs: ANSWER_TIMEOUT_MS },
    }).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new BridgeError("Unavailable", "bucket", `OSS gave no answer about ${bucket}`, { cause });
    });
    const text = answer.body.toString("utf8");
    const document = parseXml(text);
    const code = answer.status < 300 ? undefined : (document?.textOf("Code") ?? `HTTP ${answer.status}`);
    return { status: answer.status, code, document, text };
  }

  /**
   * A setting of a bucket. @returns undefined where OSS answers with one of these codes, that there is none
   * @throws BridgeError for any other refusal
   */
  async setting(bucket: string, queries: OssQueries, none: RegExp, signal: AbortSignal): Promise<BucketAnswer | undefined> {
    const answer = await this.bucket(bucket, queries, signal);
    if (answer.code === undefined) return answer;
    if (none.test(answer.code)) return undefined;
    throw new BridgeError(
      answer.status === 403 ? "PermissionDenied" : "Unexpected",
      "setting",
      `OSS refuses to show ${Object.keys(queries)[0]} of ${bucket}: ${answer.code} (HTTP ${answer.status})`,
    );
  }

  close(): Promise<void> {
    return this.dispatcher.close();
  }
}
