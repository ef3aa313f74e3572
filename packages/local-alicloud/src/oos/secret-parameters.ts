/** Secret parameters of OOS. https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-createsecretparameter */
import { rpcApi } from "../api/rpc-api";
import type { Ram, SecretParameters } from "../contracts";
import { ParameterStore } from "./parameter-store";
import { secretParameterApi } from "./secret-parameter-api";

export interface SecretParametersOptions {
  ram: Pick<Ram, "accountId">;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
}

export function createSecretParameters({ ram, now = Date.now }: SecretParametersOptions): SecretParameters {
  const store = new ParameterStore(now);
  return {
    put: (region, { name, value, description = "" }) => {
      if (store.find(region, name) === undefined) store.create(region, name, { value, description });
      else store.update(region, name, { value, description });
    },
    get: (region, name) => {
      const found = store.find(region, name);
      return found === undefined ? undefined : { name, value: found.values.at(-1) ?? "", description: found.description };
    },
    delete: (region, name) => store.delete(region, name),
    api: rpcApi(secretParameterApi(store, ram.accountId)),
  };
}
