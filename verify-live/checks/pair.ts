/** The pair table: objects that every bridge must carry, from the source to the destination of this stack. */
import { gzipSync } from "node:zlib";
import { forEachBounded } from "../../operator/concurrency";
import { bytesText, keyText } from "../../operator/text";
import { type BridgeCheck, type CheckContext, DoesNotHold, holds, NotShown, type Subject } from "../check";
import { arrives, bytesStream, type Sent, send, until } from "./crossing";

const MINUTE_MS = 60_000;
const ARRIVES_MS = 10 * MINUTE_MS;
const AT_ONCE = 8;

/** Names of keys behind the run's own prefix. */
const NAMES: readonly string[] = [
  ...["a b", "a+b", "a%20b", "100%", "a//b", "中文/文件.txt", "🌏/👩‍👩‍👧🚀", "caf\u00e9/cafe\u0301", " spaces at both ends "],
  ...[`it's "quoted"`, "<a>&amp;</a>", "a/./b", "a/../b", "#?&=;:@$,!*()", "x\\{}^|~`[]"],
];

const ATTRIBUTES: readonly Sent[] = [
  {
    name: "attributes/headers",
    headers: {
      contentType: "application/json",
      cacheControl: "public, max-age=31536000, immutable",
      contentDisposition: `inline; filename="a b.json"; filename*=UTF-8''%E4%B8%AD.json`,
      contentLanguage: "zh-Hans-CN, en",
      expires: "Thu, 02 Jan 2031 03:04:05 GMT",
    },
  },
  {
    name: "attributes/body.gz",
    body: gzipSync(Buffer.from("compressed at the source, and never opened on the way")),
    headers: { contentType: "text/plain", contentEncoding: "gzip" },
  },
  { name: "attributes/metadata", metadata: { plain: "value", "with-dashes": "a=b; c, d", text: "中文" } },
  { name: "attributes/tags", tags: { team: "data", "cost center": "a+b=1", empty: "" } },
];

async function carryAll(context: CheckContext, objects: readonly Sent[]): Promise<string[]> {
  const failures: string[] = [];
  let slowestMs = 0;
  await forEachBounded(objects, { limit: AT_ONCE, signal: context.signal }, async (object) => {
    try {
      const key = await send(context, object);
      slowestMs = Math.max(slowestMs, await arrives(context, key, ARRIVES_MS));
    } catch (error) {
      context.signal.throwIfAborted();
      failures.push(`${keyText(object.name)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  if (failures.length > 0) throw new DoesNotHold(failures.join("\n"));
  return [`${objects.length} objects arrived and were equal, the last one after ${(slowestMs / 1000).toFixed(1)} s`];
}

const tooLarge = ({ config }: Subject, sizeBytes: number): string | undefined => {
  const { minSizeBytes, maxSizeBytes } = config.scope;
  if (sizeBytes <= (maxSizeBytes ?? Number.POSITIVE_INFINITY) && sizeBytes >= minSizeBytes) return undefined;
  return `the scope takes no object of ${bytesText(sizeBytes)}`;
};

export const pairKeys: BridgeCheck = {
  name: "pair-keys",
  on: "bridge",
  fact: "Keys with spaces, `+`, `%`, dots, quotes, Chinese and emoji arrive under exactly the same key.",
  why: "The encoding of keys in OSS events is not documented for every character. A key that is decoded wrongly never arrives.",
  source: "https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-oss-trigger",
  reliesOn: ["runtime/protocol/events.ts", "runtime/stores/oss/sign.ts", "runtime/http/sigv4.ts"],
  safeOn: "any-stack",
  timeoutMs: 15 * MINUTE_MS,
  load: () => ({ objects: NAMES.length, sizeBytes: 100 }),
  run: (context) =>
    carryAll(
      context,
      NAMES.map((name) => ({ name: `keys/${name}` })),
    ),
};

export const pairAttributes: BridgeCheck = {
  name: "pair-attributes",
  on: "bridge",
  fact: "Content headers, metadata, tags and compressed bytes arrive as they were written.",
  why: "A store that changes a header would make every copy of such an object look different for ever.",
  source: "docs/guarantees.md",
  reliesOn: ["runtime/stores/content-headers.ts", "runtime/stores/header-text.ts", "runtime/replication/equality.ts"],
  safeOn: "any-stack",
  timeoutMs: 15 * MINUTE_MS,
  load: () => ({ objects: ATTRIBUTES.length, sizeBytes: 100 }),
  run: (context) => carryAll(context, ATTRIBUTES),
};

const REPEATS = 3;

export const pairChanges: BridgeCheck = {
  name: "pair-changes",
  on: "bridge",
  fact: "After overwrites, repeated events, a change of tags and a delete both sides are equal.",
  why: "Events arrive late, twice and in any order. Each is only a reason to look at the key.",
  source: "docs/guarantees.md",
  reliesOn: ["runtime/roles/sender/sender.ts", "runtime/roles/pusher/pusher.ts", "runtime/replication/decide.ts"],
  safeOn: "any-stack",
  timeoutMs: 45 * MINUTE_MS,
  load: () => ({ objects: 6, sizeBytes: 100 }),
  async run(context) {
    const { bridge, config, sides, signal } = context;
    const evidence: string[] = [];
    await send(context, { name: "life", body: Buffer.from("first") });
    const key = await send(context, { name: "life", body: Buffer.from("second, which is longer"), metadata: { step: "2" } });
    await arrives(context, key, ARRIVES_MS);
    evidence.push("two writes in a row: the second state arrived");
    if (config.mode !== "native") {
      await Promise.all(Array.from({ length: REPEATS }, () => bridge.enqueue([key], { signal })));
      await arrives(context, key, ARRIVES_MS);
      evidence.push(`the event was repeated ${REPEATS} times: both sides stayed equal`);
    }
    await send(context, { name: "life", body: Buffer.from("third"), tags: { step: "3" } });
    await arrives(context, key, ARRIVES_MS);
    evidence.push("an overwrite with other tags arrived");
    await sides.source.store.delete(key, { signal });
    // OSS sends no event of a delete that only adds a delete marker.
    if (config.source.cloud === "alicloud" && config.mode !== "native") await bridge.enqueue([key], { signal });
    if (config.deletes !== "replicate") return [...evidence, "deletes are not replicated by this stack"];
    const { destination } = sides;
    await until(context, { what: "the replica is deleted", deadlineMs: ARRIVES_MS }, async () =>
      (await destination.store.head(destination.keyPrefix + key, { signal })) === undefined ? true : undefined,
    );
    return [...evidence, "the delete arrived"];
  },
};

const MIB = 1024 ** 2;
/** The slowest link that the check waits for. */
const SLOW_BYTES_PER_SECOND = 256 * 1024;

const largeBytesOf = ({ config, largeBytes }: Subject): number => largeBytes ?? config.inlineLimitBytes + MIB;

export const pairLarge: BridgeCheck = {
  name: "pair-large",
  on: "bridge",
  fact: "An object above `inlineLimitBytes` is copied by its own function, also when the copy takes longer than one run or one step of a workflow.",
  why: "The limits of API Gateway, Lambda and CloudFlow cut copies that take too long. `--large 5GiB` shows a copy of more than one run.",
  source: "https://www.alibabacloud.com/help/en/serverless-workflow/latest/service-integration-pattern",
  reliesOn: ["runtime/roles/copier/copier.ts", "runtime/replication/copy-object.ts", "components/alicloud/flow-definition.ts"],
  safeOn: "any-stack",
  timeoutMs: 24 * 60 * MINUTE_MS,
  load: (subject) => ({ objects: 1, sizeBytes: largeBytesOf(subject) }),
  notFor: (subject) => tooLarge(subject, largeBytesOf(subject)),
  async run(context) {
    const { keys, sides, signal, note } = context;
    const sizeBytes = largeBytesOf(context);
    const key = keys.key("large.bin");
    const attributes = { headers: { contentType: "application/x-large" }, metadata: {}, tags: { ...keys.tags } };
    note(`sending ${bytesText(sizeBytes)}`);
    await sides.source.store.put(key, bytesStream(sizeBytes), { attributes, sizeBytes, signal });
    const { store, keyPrefix } = sides.destination;
    const startMs = Date.now();
    const deadlineMs = ARRIVES_MS + (sizeBytes / SLOW_BYTES_PER_SECOND) * 1000;
    // Only when the object is there are its bytes read, once.
    await until(context, { what: "the large object is at the destination", deadlineMs }, () =>
      store.head(keyPrefix + key, { signal }),
    );
    const seconds = (Date.now() - startMs) / 1000;
    await arrives(context, key, ARRIVES_MS);
    return [`${bytesText(sizeBytes)} arrived whole within ${seconds.toFixed(1)} s`];
  },
};

/** In UTF-8. */
const OSS_KEY_BYTES = 1023;

export const pairRefused: BridgeCheck = {
  name: "pair-refused",
  on: "bridge",
  fact: "An object that the destination cannot hold is parked in the dead-letter queue with the reason.",
  why: "A key that is neither copied nor parked would be tried for ever, or lost.",
  source: "docs/guarantees.md",
  reliesOn: ["runtime/replication/replicate.ts", "runtime/replication/intake.ts", "operator/clouds/aws.ts"],
  safeOn: "own-stack",
  timeoutMs: 15 * MINUTE_MS,
  load: () => ({ objects: 1, sizeBytes: 100 }),
  notFor({ config: { source, destination } }) {
    if (source.cloud !== "alicloud" && destination.cloud === "alicloud") return undefined;
    return "the destination holds every object that this source can hold";
  },
  async run(context) {
    const { bridge, keys, sides, signal } = context;
    const rest = OSS_KEY_BYTES + 1 - Buffer.byteLength(sides.destination.keyPrefix + keys.key("refused-"));
    if (rest < 1) throw new NotShown("the prefixes of this stack leave no room for a key that is too long for OSS alone");
    const key = await send(context, { name: `refused-${"x".repeat(rest)}` });
    const parked = await until(context, { what: "the key is parked", deadlineMs: ARRIVES_MS }, async () => {
      const { letters } = await bridge.deadLetters({ limit: 1000, signal });
      return letters.find((letter) => letter.key === key);
    });
    holds(/1024 bytes/.test(parked.reason), `the key is parked with another reason: ${parked.reason}`);
    return [`parked: ${parked.reason}`];
  },
};
