import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import OpenApi, { $OpenApiUtil } from "@alicloud/openapi-core";
import { type LocalAlicloud, startLocalAlicloud } from "../src/index";
import { rpcCaller } from "./api/api-fixture";

let cloud: LocalAlicloud | undefined;
afterEach(async () => {
  await cloud?.stop();
  cloud = undefined;
});

/** A port of 127.0.0.1 with `count - 1` free ones after it, when this returns. */
async function freePorts(count: number): Promise<number> {
  for (let first = 21_000 + (process.pid % 1000) * 20; first < 60_000; first += count) {
    const taken = await Promise.all(Array.from({ length: count }, (_, index) => isTaken(first + index)));
    if (!taken.includes(true)) return first;
  }
  throw new Error("there are no free ports");
}

const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(true))
      .listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  });

const portOf = (origin: string) => Number(new URL(origin).port);

test("with firstPort the ports have the documented order", async () => {
  const first = await freePorts(19);
  cloud = await startLocalAlicloud({ regions: ["cn-shanghai", "us-west-1"], firstPort: first });
  const ports = cloud.regions.map((region) => {
    const { oss, functionCompute, cloudFlow, oos, messageService, logService, control } = (cloud as LocalAlicloud).endpointsOf(
      region,
    );
    return [oss.accelerate, oss.public, oss.internal, functionCompute, cloudFlow, oos, messageService, logService, control].map(
      (origin) => portOf(origin) - first,
    );
  });
  expect(ports).toEqual([
    [0, 1, 2, 4, 5, 6, 7, 8, 9],
    [0, 10, 11, 13, 14, 15, 16, 17, 18],
  ]);
});

test("endpoints are known by region and by the vendor's host name", async () => {
  cloud = await startLocalAlicloud({ regions: ["cn-shanghai"], accountId: "1234567890123456" });
  const { oss, functionCompute, cloudFlow, oos, messageService, logService, control } = cloud.endpointsOf("cn-shanghai");
  const byAddress = (origin: string) => origin.replace("localhost", "127.0.0.1");
  expect(cloud.endpoints).toEqual({
    "fcv3.cn-shanghai.aliyuncs.com": functionCompute,
    "cn-shanghai.fnf.aliyuncs.com": cloudFlow,
    "oos.cn-shanghai.aliyuncs.com": oos,
    "cn-shanghai.log.aliyuncs.com": logService,
    "1234567890123456.mns.cn-shanghai.aliyuncs.com": messageService,
    "mns-open.cn-shanghai.aliyuncs.com": control,
    "metrics.cn-shanghai.aliyuncs.com": control,
    "sts.cn-shanghai.aliyuncs.com": control,
    "sts.aliyuncs.com": control,
    "ram.aliyuncs.com": control,
    "location.aliyuncs.com": control,
    "oss-cn-shanghai.aliyuncs.com": byAddress(oss.public),
    "oss-cn-shanghai-internal.aliyuncs.com": byAddress(oss.internal),
    "oss-accelerate.aliyuncs.com": byAddress(oss.accelerate),
    "oss-accelerate-overseas.aliyuncs.com": byAddress(oss.accelerate),
  });
  expect(() => cloud?.endpointsOf("eu-central-1")).toThrow("there is no region eu-central-1; there are cn-shanghai");
});

test("a taken port stops what was started and leaves no folder", async () => {
  const first = await freePorts(10);
  cloud = await startLocalAlicloud({ regions: ["cn-shanghai"], firstPort: first });
  const runDir = `${cloud.runDir}-second`;
  await expect(startLocalAlicloud({ regions: ["cn-shanghai"], firstPort: first, runDir })).rejects.toThrow("EADDRINUSE");
  expect(existsSync(runDir)).toBe(false);
});

test("all control APIs are at one address, where Location says", async () => {
  cloud = await startLocalAlicloud({ regions: ["cn-shanghai"] });
  const { control, logService } = cloud.endpointsOf("cn-shanghai");
  const ca = readFileSync(cloud.caPath, "utf8");
  const config = { ...cloud.ram.root, endpoint: new URL(control).host, protocol: "https", ca, regionId: "cn-shanghai" };
  const client = new OpenApi(new $OpenApiUtil.Config({ ...config, signatureAlgorithm: "v2" }));
  const product = (version: string) => rpcCaller(() => client, version);
  const endpointOf = async (ServiceCode: string) => {
    const { Endpoints } = await product("2015-06-12")("DescribeEndpoints", { Id: "cn-shanghai", ServiceCode });
    return Endpoints.Endpoint[0].Endpoint;
  };
  expect(await endpointOf("ram")).toBe(new URL(control).host);
  expect(await endpointOf("log")).toBe(new URL(logService).host);
  expect((await product("2015-04-01")("GetCallerIdentity")).AccountId).toBe(cloud.accountId);
  expect((await product("2015-05-01")("ListRoles")).Roles).toEqual({ Role: [] });
  expect((await product("2019-03-15")("ListFlows")).Flows).toEqual([]);
  expect((await product("2022-01-19")("ListQueue")).Data.Total).toBe(0);
  expect((await product("2019-01-01")("DescribeMetricRuleList")).Total).toBe("0");
  await product("2019-06-01")("CreateSecretParameter", { Name: "token", Value: "s3cret" });
  expect(cloud.secrets.get("cn-shanghai", "token")?.value).toBe("s3cret");
});
