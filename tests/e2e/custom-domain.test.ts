/** Buckets on the mainland, in an account that activated OSS since 2025-03-20: its public hosts refuse objects, and a custom domain serves them. */
import { ends, type LocalEnd } from "../../local/cli/ends";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { registerStatus } from "../../operator/status/command";
import { arrives, openPairEnd, type PairEnd } from "./pairs/pair-end";
import { runBridge } from "./support/bridge-command";
import { eventually } from "./support/eventually";
import { START_MS, UP_MS } from "./support/stack";

const MIB = 1024 * 1024;
const ARRIVE_MS = 120_000;

let clouds: LocalClouds;

beforeAll(async () => {
  clouds = await startLocalClouds({
    clouds: ["aws-cn", "alicloud"],
    blockMainlandPublicData: true,
    // A key that has to wait goes on at the next tick.
    scheduleMinuteMs: 5_000,
  });
}, START_MS);
afterAll(() => clouds?.stop());

/** A client inside the region, whose host serves every account. */
const inside = (end: LocalEnd): LocalEnd =>
  end.cloud === "alicloud" ? { ...end, endpoint: clouds.alicloud.endpointsOf(end.region).oss.internal } : end;

async function withEnds(local: LocalStack, use: (source: PairEnd, destination: PairEnd) => Promise<void>): Promise<void> {
  const { source, destination } = ends(local);
  const [from, to] = [openPairEnd(inside(source)), openPairEnd(inside(destination))];
  try {
    await use(from, to);
  } finally {
    from.close();
    to.close();
  }
}

describe("a pull from the mainland", () => {
  const SOURCE = { cloud: "alicloud", region: "cn-hangzhou", bucket: "example-oss-to-china-source" };
  let local: LocalStack;

  beforeAll(async () => {
    local = await startLocalStack({ stack: "oss-to-china", clouds });
  }, START_MS);
  afterAll(() => local?.stop(), START_MS);

  const status = (...args: string[]) => runBridge(registerStatus, local, "oss-to-china", ["status", ...args]);
  const waiting = () =>
    [local.outputs.queueUrl, local.outputs.outageQueueUrl].flatMap((url = "") =>
      clouds.alicloud.messages.messages(SOURCE.region, new URL(url).pathname.split("/").at(-1) ?? "").map(({ body }) => body),
    );

  test(
    "without a domain the deployment warns, keys wait with the way out, and the command names it",
    async () => {
      expect(local.outputs.notices.join("\n")).toMatch(
        /oss-cn-hangzhou\.aliyuncs\.com carries .*PublicEndpointForbidden.*source\.customDomain/s,
      );
      await withEnds(local, async (source) => {
        await source.put("early.txt", Buffer.from("early"));
      });
      await eventually(async () => expect(waiting().join("\n")).toContain("set source.customDomain to a domain"), {
        deadlineMs: ARRIVE_MS,
        what: "the key waits with the way out",
      });
      const { exitCode, printed, noted } = await status("early.txt");
      expect(exitCode).toBe(3);
      expect([...printed, ...noted].join("\n")).toContain("set customDomain of this side to a domain");
    },
    2 * ARRIVE_MS,
  );

  test(
    "with a domain they arrive, packages too, and the command reads both sides",
    async () => {
      await local.up({ "crossborderbridge:source": { ...SOURCE, customDomain: "reports.bridge.test" } });
      await withEnds(local, async (source, destination) => {
        const type = { headers: { "content-type": "application/vnd.android.package-archive" } };
        await source.put("app.apk", Buffer.from("a package"), type);
        await arrives(source, destination, "app.apk", ARRIVE_MS);
        await arrives(source, destination, "early.txt", ARRIVE_MS);
      });
      const { exitCode, printed } = await status();
      expect(printed.join("\n")).toMatch(/COMPLETED +2 objects/);
      expect(exitCode).toBe(0);
    },
    UP_MS + 3 * ARRIVE_MS,
  );
});

test(
  "a push from another region writes through the destination's domain, small objects and large ones",
  async () => {
    const local = await startLocalStack({
      stack: "dev",
      clouds,
      settings: {
        "crossborderbridge:name": "to-mainland",
        "crossborderbridge:source": { cloud: "alicloud", region: "ap-southeast-1", bucket: "to-mainland-source" },
        "crossborderbridge:destination": {
          cloud: "alicloud",
          region: "cn-shanghai",
          bucket: "to-mainland-destination",
          customDomain: "replica.bridge.test",
        },
        "crossborderbridge:mode": "push",
        "crossborderbridge:buffer": "",
        "crossborderbridge:inlineLimitBytes": MIB,
        "crossborderbridge:copy": { partSizeBytes: 5 * MIB, partsAtOnce: 2, concurrency: 2, timeoutSeconds: 60 },
        "crossborderbridge:timeouts": { receiverSeconds: 10 },
        "crossborderbridge:allowedCidrs": [],
      },
    });
    try {
      await withEnds(local, async (source, destination) => {
        await source.put("small", Buffer.from("small"), { tags: { a: "b" } });
        await source.put("large", Buffer.alloc(11 * MIB, "0123456789abcdef-"));
        await arrives(source, destination, "small", ARRIVE_MS);
        await arrives(source, destination, "large", ARRIVE_MS);
      });
    } finally {
      await local.stop();
    }
  },
  START_MS + 2 * ARRIVE_MS,
);
