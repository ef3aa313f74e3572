import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { type LocalAlicloud, startLocalAlicloud } from "../src/index";

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
  const first = await freePorts(17);
  cloud = await startLocalAlicloud({ regions: ["cn-shanghai", "us-west-1"], firstPort: first });
  const ports = cloud.regions.map((region) => {
    const { oss, functionCompute, cloudFlow, oos, messageService, logService } = (cloud as LocalAlicloud).endpointsOf(region);
    return [oss.accelerate, oss.public, oss.internal, functionCompute, cloudFlow, oos, messageService, logService].map(
      (origin) => portOf(origin) - first,
    );
  });
  expect(ports).toEqual([
    [0, 1, 2, 4, 5, 6, 7, 8],
    [0, 9, 10, 12, 13, 14, 15, 16],
  ]);
});

test("endpoints are known by region and by the vendor's host name", async () => {
  cloud = await startLocalAlicloud({ regions: ["cn-shanghai"], accountId: "1234567890123456" });
  const { oss, functionCompute, cloudFlow, oos, messageService, logService } = cloud.endpointsOf("cn-shanghai");
  const byAddress = (origin: string) => origin.replace("localhost", "127.0.0.1");
  expect(cloud.endpoints).toEqual({
    "fcv3.cn-shanghai.aliyuncs.com": functionCompute,
    "cn-shanghai.fnf.aliyuncs.com": cloudFlow,
    "oos.cn-shanghai.aliyuncs.com": oos,
    "cn-shanghai.log.aliyuncs.com": logService,
    "1234567890123456.mns.cn-shanghai.aliyuncs.com": messageService,
    "oss-cn-shanghai.aliyuncs.com": byAddress(oss.public),
    "oss-cn-shanghai-internal.aliyuncs.com": byAddress(oss.internal),
    "oss-accelerate.aliyuncs.com": byAddress(oss.accelerate),
    "oss-accelerate-overseas.aliyuncs.com": byAddress(oss.accelerate),
  });
  expect(() => cloud?.endpointsOf("eu-central-1")).toThrow("there is no region eu-central-1; there are cn-shanghai");
});

test("a taken port stops what was started and leaves no folder", async () => {
  const first = await freePorts(9);
  cloud = await startLocalAlicloud({ regions: ["cn-shanghai"], firstPort: first });
  const runDir = `${cloud.runDir}-second`;
  await expect(startLocalAlicloud({ regions: ["cn-shanghai"], firstPort: first, runDir })).rejects.toThrow("EADDRINUSE");
  expect(existsSync(runDir)).toBe(false);
});
