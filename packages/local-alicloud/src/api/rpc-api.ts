import { type ApiCall, ApiError, type ApiHandler } from "../contracts";
import { Parameters, rpcParameters } from "./rpc-parameters";

export interface RpcCall extends ApiCall {
  parameters: Parameters;
}

/** Returns the fields of the answer, if there are any besides the request's id. @throws ApiError */
export type RpcOperation = (call: RpcCall) => object | undefined | Promise<object | undefined>;

/** The RPC operations of one product. */
export interface RpcProduct {
  /** E.g. `2015-05-01`. */
  version: string;
  operations: Readonly<Record<string, RpcOperation>>;
}

/** Serves one product. */
export function rpcApi({ version, operations }: RpcProduct): ApiHandler {
  return async (call) => {
    const operation = Object.hasOwn(operations, call.action) ? operations[call.action] : undefined;
    if (operation === undefined || call.version !== version) {
      const served = `version ${version} has ${Object.keys(operations).join(", ")}`;
      throw new ApiError(404, "InvalidApi.NotFound", `Specified api is not found: ${call.action} of ${call.version}; ${served}.`);
    }
    return { status: 200, body: (await operation({ ...call, parameters: new Parameters(rpcParameters(call)) })) ?? {} };
  };
}

/** Serves several products at one address: their versions are all different. */
export function productsApi(products: Readonly<Record<string, ApiHandler>>): ApiHandler {
  return async (call) => {
    const product = Object.hasOwn(products, call.version) ? products[call.version] : undefined;
    if (product !== undefined) return product(call);
    const served = Object.keys(products).join(", ");
    throw new ApiError(400, "InvalidVersion", `Specified parameter Version is not valid: ${call.version}; ${served} are served.`);
  };
}
