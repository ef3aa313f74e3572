/** A deployed bridge from OSS that gets other settings: what has a name of its own goes before its successor comes, or moves over. */
import { ends } from "../../local/cli/ends";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { openPairEnd } from "./pairs/pair-end";
import { eventually } from "./support/eventually";
import { START_MS } from "./support/stack";

/** Nothing crosses a wire that is accelerated, and somebody may knock. */
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

async function carries(key: string): Promise<void> {
  const { source, destination } = ends(local);
  const [from, to] = [openPairEnd(source), openPairEnd(destination)];
  try {
    await from.put(key, Buffer.from(`the bytes of ${key}`));
    await eventually(async () => expect(await to.look(key)).toEqual((await from.look(key)) ?? "an object"), {
      deadlineMs: 90_000,
      what: `${key} arrives`,
    });
  } finally {
    from.close();
    to.close();
  }
}

test(
  "another mode, and back",
  async () => {
    await carries("by-push");
    const { replace = 0, same = 0 } = await local.up(PULL);
    // The trigger, which is of a function, and its permission to call that.
    expect(replace).toBe(2);
    expect(same).toBeGreaterThan(10);
    await carries("by-pull");
    await local.up();
    await carries("by-push-again");
  },
  2 * START_MS,
);

test(
  "another source bucket",
  async () => {
    const source = { cloud: "alicloud", region: "cn-shanghai", bucket: "example-oss-accelerated-other" };
    await local.up({ "crossborderbridge:source": source });
    await carries("from-the-other-one");
  },
  START_MS,
);
