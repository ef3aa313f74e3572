/** Where the other services are. https://www.alibabacloud.com/help/en/landing-zone/support/describeendpoints */
import type { RpcProduct } from "./rpc-api";
import { invalidParameter } from "./rpc-parameters";

/** @param hostsOf `host:port` by the service's code, e.g. `oss`; undefined when there is no such region */
export function locationApi(hostsOf: (region: string) => Readonly<Record<string, string>> | undefined): RpcProduct {
  return {
    version: "2015-06-12",
    operations: {
      DescribeEndpoints: ({ parameters }) => {
        const [id, code] = [parameters.required("Id"), parameters.required("ServiceCode")];
        const hosts = hostsOf(id);
        if (hosts === undefined) throw invalidParameter("Id", `there is no region ${id} here`);
        const host = Object.hasOwn(hosts, code) && (parameters.text("Type") ?? "openAPI") === "openAPI" ? hosts[code] : undefined;
        const endpoint = {
          Endpoint: host,
          Id: id,
          Namespace: "",
          // The vendor's name for it.
          SerivceCode: code,
          ServiceCode: code,
          Type: "openAPI",
          Protocols: { Protocols: ["HTTP", "HTTPS"] },
        };
        return { Success: true, Endpoints: { Endpoint: host === undefined ? [] : [endpoint] } };
      },
    },
  };
}
