/**
 * Calls of the control APIs with the vendor's client, in RPC style, and in ROA style for Function Compute.
 * https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
 */
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import OpenApi, { $OpenApiUtil } from "@alicloud/openapi-core";
import { isObject, type Properties } from "../values";
import { type AlicloudAccount, originOf } from "./account";
import { ApiFailure } from "./api-failure";

/** The version of each product's API, and its host in a region. */
const PRODUCTS = {
  ram: ["2015-05-01", () => "ram.aliyuncs.com"],
  sts: ["2015-04-01", (region) => `sts.${region}.aliyuncs.com`],
  fc: ["2023-03-30", (region) => `fcv3.${region}.aliyuncs.com`],
  fnf: ["2019-03-15", (region) => `${region}.fnf.aliyuncs.com`],
  oos: ["2019-06-01", (region) => `oos.${region}.aliyuncs.com`],
  cms: ["2019-01-01", (region) => `metrics.${region}.aliyuncs.com`],
  "mns-open": ["2022-01-19", (region) => `mns-open.${region}.aliyuncs.com`],
} satisfies Record<string, [version: string, host: (region: string) => string]>;
export type Product = keyof typeof PRODUCTS;

export interface RoaCall {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** The part of the path after the version, e.g. `functions`. */
  path: string;
  query?: Record<string, string>;
  body?: object;
}

/** The provider repeats a throttled call for at most five minutes. */
const THROTTLED_TRIES = 300;
const THROTTLED_PAUSE_MS = 1000;

interface Request {
  style: "RPC" | "ROA";
  method: string;
  pathname: string;
  reqBodyType: "formData" | "json";
}

/** The control APIs of one region, and RAM, which is in all regions. */
export class ControlApi {
  private readonly clients = new Map<Product, OpenApi>();
  private readonly ca: string;

  constructor(
    private readonly account: AlicloudAccount,
    private readonly region: string,
  ) {
    this.ca = readFileSync(account.caPath, "utf8");
  }

  /** Undefined parameters are not sent. A list becomes `Name.1`, an object `Name.Field`. @throws ApiFailure */
  rpc(product: Product, action: string, parameters: Properties): Promise<Properties> {
    const request: Request = { style: "RPC", method: "POST", pathname: "/", reqBodyType: "formData" };
    return this.call(product, action, request, { body: parameters });
  }

  /** @throws ApiFailure */
  fc(action: string, { method, path, query = {}, body }: RoaCall): Promise<Properties> {
    const request: Request = { style: "ROA", method, pathname: `/${PRODUCTS.fc[0]}/${path}`, reqBodyType: "json" };
    return this.call("fc", action, request, { query, body });
  }

  private async call(product: Product, action: string, request: Request, content: object): Promise<Properties> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.send(product, action, request, content);
      } catch (error) {
        const failure = failureOf(error, `${action} of ${product}`);
        if (failure === undefined) throw error;
        if (failure.status !== 429 || tries === THROTTLED_TRIES) throw failure;
      }
      await setTimeout(THROTTLED_PAUSE_MS);
    }
  }

  private async send(product: Product, action: string, request: Request, content: object): Promise<Properties> {
    const params = new $OpenApiUtil.Params({
      ...{ ...request, action, version: PRODUCTS[product][0] },
      ...{ protocol: "HTTPS", authType: "AK", bodyType: "string" },
    });
    const answer = await this.clientOf(product).callApi(
      params,
      new $OpenApiUtil.OpenApiRequest({ query: {}, headers: {}, ...content }),
      {} as Parameters<OpenApi["callApi"]>[2],
    );
    const text = String(answer.body);
    return text === "" ? {} : (JSON.parse(text) as Properties);
  }

  private clientOf(product: Product): OpenApi {
    const { credentials } = this.account;
    const endpoint = new URL(originOf(this.account, PRODUCTS[product][1](this.region))).host;
    const config = { ...credentials, endpoint, protocol: "https", ca: this.ca, regionId: this.region };
    const client = this.clients.get(product) ?? new OpenApi(new $OpenApiUtil.Config(config));
    this.clients.set(product, client);
    return client;
  }
}

/** The client's errors, without its text around the service's message. Undefined for an error that is no answer of a service. */
function failureOf(error: unknown, call: string): ApiFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { statusCode, code, data } = error as Error & { statusCode?: number; code?: string; data?: unknown };
  if (statusCode === undefined) return undefined;
  const { Message = error.message } = isObject(data) ? data : {};
  return new ApiFailure(statusCode, String(code), `${call}: ${code}: ${String(Message)}`);
}
