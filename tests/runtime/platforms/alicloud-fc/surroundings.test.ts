import { createMetrics, startFunction } from "../../../../runtime/platforms/alicloud-fc/start";
import { openControl, openStore } from "../../../../runtime/platforms/alicloud-fc/stores";
import { encodeEnv, type StoreConfig } from "../../../../runtime/protocol/env";
import { systemClock } from "../../../../runtime/protocol/ports";
import { createOssDispatcher } from "../../../../runtime/stores/oss/client";
import { startHttps } from "../../support/https-server";
import { recordingLogger } from "../../support/recording-logger";
import { KEY } from "./support";

describe("metrics", () => {
  test("one line holds the values since the last flush: the greatest lag, and sums of the others", () => {
    const logger = recordingLogger();
    const metrics = createMetrics(logger);
    metrics.flush();
    metrics.add("Replicated", 1);
    metrics.add("Replicated", 1);
    metrics.add("BytesMoved", 5);
    metrics.add("LagMs", 120);
    metrics.add("LagMs", 40);
    metrics.flush();
    metrics.flush();
    metrics.add("Parked", 1);
    metrics.flush();
    expect(logger.lines).toEqual([
      { level: "info", message: "metrics", fields: { metrics: { Replicated: 2, BytesMoved: 5, LagMs: 120 } } },
      { level: "info", message: "metrics", fields: { metrics: { Parked: 1 } } },
    ]);
  });
});

describe("stores", () => {
  const oss: StoreConfig = { kind: "oss", bucket: "photos", region: "cn-shanghai", versioned: true, network: "internal" };
  const dispatcher = createOssDispatcher();
  afterAll(() => dispatcher.destroy());

  const DOMAIN = { customDomain: "oss.example.com" };

  /** The vendor's hosts that a store asks for, and the host of its presigned URLs. */
  async function hostsOf(config: Partial<StoreConfig>) {
    const hosts: string[] = [];
    const originOf = (host: string) => {
      hosts.push(host.replace(".aliyuncs.com", ""));
      return `https://${host}`;
    };
    const credentials = { current: () => KEY, renew: () => undefined };
    const store = openStore({ credentials, dispatcher, originOf, region: "cn-shanghai" }, { ...oss, ...config } as StoreConfig);
    const { host } = new URL(await store.presignGet("a", { expiresInSeconds: 60 }));
    return { data: hosts[0], bucket: hosts[1], presign: host.replace(".aliyuncs.com", "") };
  }

  test.each([
    [{}, "oss-cn-shanghai-internal", "oss-cn-shanghai-internal", "photos.oss-cn-shanghai-internal"],
    [{ presignNetwork: "public" }, "oss-cn-shanghai-internal", "oss-cn-shanghai-internal", "photos.oss-cn-shanghai"],
    [{ presignNetwork: "accelerate" }, "oss-cn-shanghai-internal", "oss-cn-shanghai-internal", "photos.oss-accelerate"],
    [{ network: "public" }, "oss-cn-shanghai", "oss-cn-shanghai", "photos.oss-cn-shanghai"],
    [{ network: "accelerate", region: "us-west-1" }, "oss-accelerate", "oss-us-west-1", "photos.oss-accelerate"],
    [
      { network: "accelerate-overseas", region: "us-west-1" },
      "oss-accelerate-overseas",
      "oss-us-west-1",
      "photos.oss-accelerate-overseas",
    ],
    [{ presignNetwork: DOMAIN }, "oss-cn-shanghai-internal", "oss-cn-shanghai-internal", "oss.example.com"],
    [{ network: DOMAIN, region: "us-west-1" }, "oss.example.com", "oss.example.com", "oss.example.com"],
  ] as const)("%p: objects at %s, the bucket at %s, URLs at %s", async (config, data, bucket, presign) => {
    expect(await hostsOf(config)).toEqual({ data, bucket, presign });
  });

  test("at a custom domain requests and URLs do not name the bucket, and the function's variable maps the domain", async () => {
    const server = await startHttps((_request, response) => {
      response.writeHead(200, { etag: '"E"', "last-modified": new Date(0).toUTCString(), "content-length": "1" }).end();
    });
    const trusting = createOssDispatcher({ ca: server.ca });
    try {
      const credentials = { current: () => KEY, renew: () => undefined };
      const originOf = (host: string) => (host === DOMAIN.customDomain ? server.origin : `https://${host}`);
      const config: StoreConfig = { ...oss, network: DOMAIN };
      const store = openStore({ credentials, dispatcher: trusting, originOf, region: "us-west-1" }, config);
      await store.head("a/b");
      expect(server.seen.map(({ url }) => url)).toEqual(["/a/b"]);
      const url = new URL(await store.presignGet("a/b", { expiresInSeconds: 60 }));
      expect([url.origin, url.pathname]).toEqual([server.origin, "/a/b"]);
    } finally {
      await trusting.destroy();
      await server.close();
    }
  });

  test("capabilities, storage class and encryption are as configured", async () => {
    // The CRC-64 of no bytes.
    const server = await startHttps((_request, response) => {
      response.writeHead(200, { etag: '"E"', "x-oss-hash-crc64ecma": "0" }).end();
    });
    const trusting = createOssDispatcher({ ca: server.ca });
    try {
      const credentials = { current: () => KEY, renew: () => undefined };
      const base = { credentials, dispatcher: trusting, originOf: () => server.origin, region: "cn-shanghai" };
      const store = openStore(base, { ...oss, versioned: false, storageClass: "IA", kmsKeyId: "key-1" } as StoreConfig);
      expect(store.capabilities.conditionalCreate).toBe(true);
      expect(openStore(base, oss).capabilities.conditionalCreate).toBe(false);
      await store.put("a", Buffer.alloc(0), { sizeBytes: 0, attributes: { headers: {}, metadata: {}, tags: {} } });
      expect(server.seen[0]?.headers).toMatchObject({
        "x-oss-storage-class": "IA",
        "x-oss-server-side-encryption-key-id": "key-1",
        "x-oss-security-token": KEY.securityToken,
      });
    } finally {
      await trusting.destroy();
      await server.close();
    }
  });

  test("a store of another cloud is refused by name", () => {
    const base = {
      credentials: { current: () => KEY, renew: () => undefined },
      dispatcher,
      originOf: (host: string) => `https://${host}`,
      region: "cn-shanghai",
    };
    expect(() => openStore(base, { kind: "s3", bucket: "b", region: "us-east-1" })).toThrow(
      /Function Compute serves oss stores, not s3/,
    );
    expect(() => openControl({ ...base, clock: systemClock }, { bridgeId: "bridge" })).toThrow(/controlBucket is not set/);
  });

  test("leases and slots go to the control bucket in the function's own region", async () => {
    const hosts: string[] = [];
    const server = await startHttps(
      (_request, response) => void response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>"),
    );
    const trusting = createOssDispatcher({ ca: server.ca });
    try {
      const originOf = (host: string) => {
        hosts.push(host);
        return server.origin;
      };
      const credentials = { current: () => KEY, renew: () => undefined };
      const { leases, slots } = openControl(
        { clock: systemClock, credentials, dispatcher: trusting, originOf, region: "eu-central-1" },
        { bridgeId: "bridge", controlBucket: "control" },
      );
      expect(await leases.read("a")).toBeUndefined();
      await slots.release({ execution: "x", key: "a" });
      expect(new Set(hosts)).toEqual(new Set(["oss-eu-central-1-internal.aliyuncs.com"]));
      expect(server.seen[0]?.url).toMatch(/^\/control\/\.crossborderbridge\/bridge\/lease-logs\/[0-9a-f]{64}$/);
      expect(server.seen[1]?.url).toMatch(/^\/control\/\.crossborderbridge\/bridge\/lease-logs\/slots-\d+$/);
    } finally {
      await trusting.destroy();
      await server.close();
    }
  });
});

describe("startFunction", () => {
  const env = {
    FC_REGION: "cn-shanghai",
    ...encodeEnv("dispatcher", {
      bridgeId: "bridge",
      sourceId: "alicloud:photos",
      destinationId: "alicloud:copies",
      logLevel: "error",
      source: { kind: "oss", bucket: "photos", region: "cn-shanghai", versioned: true, network: "internal" },
      scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 },
      deletes: "ignore",
      flowName: "flow",
      queueUrl: "https://3.mns.cn-shanghai.aliyuncs.com/queues/queue",
      giveUpAfterSeconds: 561_600,
      deadLetterUrl: "https://3.mns.cn-shanghai.aliyuncs.com/queues/dead",
    }),
  };

  test("metrics are written at every log level, because alarms read them", async () => {
    const lines: string[] = [];
    const write = jest.spyOn(process.stdout, "write").mockImplementation((chunk) => {
      lines.push(String(chunk));
      return true;
    });
    const base = startFunction("dispatcher", env);
    try {
      base.logger.info("not written");
      base.metrics.add("Skipped", 2);
      base.metrics.flush();
    } finally {
      write.mockRestore();
      await base.dispatcher.close();
    }
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: "info",
        time: expect.any(String),
        role: "dispatcher",
        bridgeId: "bridge",
        metrics: { Skipped: 2 },
        message: "metrics",
      },
    ]);
    expect(base).toMatchObject({ region: "cn-shanghai", config: { flowName: "flow" } });
  });

  test("an error outside of Function Compute says so", () => {
    expect(() => startFunction("dispatcher", { ...env, FC_REGION: undefined })).toThrow(/FC_REGION is not set/);
    expect(() => startFunction("pusher", env)).toThrow(/does not fit the pusher/);
  });
});
