/** Changes the settings of a deployed bridge from OSS. A resource with a fixed name is deleted before its replacement is created, or it moves. */
import { ends } from "../../local/cli/ends";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { arrives, openPairEnd } from "./pairs/pair-end";
import { START_MS } from "./support/stack";

/** Pull mode does not use transfer acceleration. It needs an allowlist. */
const PULL = {
  "crossborderbridge:mode": "pull",
  "crossborderbridge:destination": { cloud: "alicloud", region: "us-west-1", bucket: "example-oss-accelerated-replica" },
  "crossborderbridge:allowedCidrs": ["127.0.0.1/32"],
};

let local: LocalStack;

beforeAll(async () => {
  local = await startLocalStack({ stack: "oss-accelerated" });
}, START_MS);

afterAll(() => local?.stop(), START_MS);

async function replicates(key: string): Promise<void> {
  const { source, destination } = ends(local);
  const [from, to] = [openPairEnd(source), openPairEnd(destination)];
  try {
    await from.put(key, Buffer.from(`the bytes of ${key}`));
    await arrives(from, to, key, 90_000);
  } finally {
    from.close();
    to.close();
  }
}

test(
  "changes to pull mode and back",
  async () => {
    await replicates("by-push");
    const { replace = 0, same = 0 } = await local.up(PULL);
    // Both triggers, of the events and of the timer, belong to a function: they are replaced, and so is the permission to call it.
    expect(replace).toBe(3);
    expect(same).toBeGreaterThan(10);
    await replicates("by-pull");
    await local.up();
    await replicates("by-push-again");
  },
  2 * START_MS,
);

test(
  "changes to another source bucket",
  async () => {
    const source = { cloud: "alicloud", region: "cn-shanghai", bucket: "example-oss-accelerated-other" };
    await local.up({ "crossborderbridge:source": source });
    await replicates("from-the-other-one");
  },
  START_MS,
);
