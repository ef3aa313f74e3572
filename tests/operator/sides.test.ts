import { assertBuckets, lostBuckets, withNamedErrors } from "../../operator/sides";
import { BridgeError, type BridgeErrorKind } from "../../runtime/stores/errors";
import { FakeBridge, pullRaw } from "./backfill/fixture";

const SIGNAL = new AbortController().signal;
const PLACE = { side: "destination", cloud: "aws-cn", region: "cn-north-1", bucket: "reports" } as const;
const WHERE = "the destination bucket reports (aws-cn, cn-north-1)";

/** The destination answers every listing with this error. */
function without(kind: BridgeErrorKind, message: string, cause?: unknown): FakeBridge {
  const bridge = new FakeBridge(pullRaw());
  bridge.to.list = () => failing(new BridgeError(kind, "list", message, { cause }));
  return bridge;
}

// biome-ignore lint/correctness/useYield: a listing that fails at once
async function* failing(error: unknown): AsyncGenerator<never> {
  throw error;
}

test("both buckets are there", async () => {
  const bridge = new FakeBridge(pullRaw());
  await bridge.put("a");
  expect(await lostBuckets(bridge, SIGNAL)).toEqual([]);
  await expect(assertBuckets(bridge, SIGNAL)).resolves.toBeUndefined();
});

interface Refusal {
  kind: BridgeErrorKind;
  answer: string;
  message: RegExp;
  cause?: unknown;
}

test.each<[string, Refusal]>([
  [
    "gone",
    {
      ...{ kind: "NoSuchBucket", answer: "S3 answered list with NoSuchBucket (HTTP 404)" },
      message: /; the bucket is gone: create it again .* run a backfill$/,
    },
  ],
  [
    "denied",
    {
      ...{ kind: "PermissionDenied", answer: "S3 answered list with AccessDenied" },
      message: /; the bucket refuses your own credentials; the bridge uses others$/,
    },
  ],
  [
    "not reachable",
    {
      ...{ kind: "Unavailable", answer: "S3 did not answer list: ECONNREFUSED" },
      message: /; the store cannot be reached from here$/,
    },
  ],
  [
    "without credentials",
    {
      ...{ kind: "Unexpected", answer: "S3 answered list with CredentialsProviderError" },
      message: /; there are no credentials for this side: log in to its profile$/,
      cause: Object.assign(new Error("none"), { name: "CredentialsProviderError" }),
    },
  ],
  [
    "refused at this host",
    {
      ...{
        kind: "HostRefused",
        answer: "OSS answered list with PublicEndpointForbidden (HTTP 400): set customDomain of this side",
      },
      message: /; then run pulumi up: the functions use the same setting$/,
    },
  ],
  ["another answer", { kind: "Unexpected", answer: "S3 answered list with Odd", message: /; the bucket cannot be read$/ }],
])("a bucket that is %s is named with its side, cloud and region", async (_what, { kind, answer, message, cause }) => {
  const bridge = without(kind, answer, cause);
  const { region, bucket } = bridge.destination;
  const [lost, ...more] = await lostBuckets(bridge, SIGNAL);
  expect(more).toEqual([]);
  expect(lost?.side).toBe("destination");
  expect(lost?.message).toMatch(message);
  expect(lost?.message).toContain(`the destination bucket ${bucket} (aws-cn, ${region}): ${answer}`);
  await expect(assertBuckets(bridge, SIGNAL)).rejects.toMatchObject({ name: "CannotLook", message: lost?.message });
});

test("a store that does not answer is not waited for", async () => {
  const bridge = new FakeBridge(pullRaw());
  bridge.to.list = (_prefix, { signal } = {}) => silent(signal);
  expect(await lostBuckets(bridge, SIGNAL, 20)).toEqual([
    {
      side: "destination",
      message: expect.stringMatching(
        /^the destination bucket \S+ \(.*\): no answer within 0.02 s; the store cannot be reached from here$/,
      ),
    },
  ]);
});

/** Answers only the abort. */
async function* silent(signal: AbortSignal | undefined): AsyncGenerator<never> {
  await new Promise((_, reject) =>
    signal?.addEventListener("abort", () => reject(new BridgeError("Unavailable", "list", "aborted"))),
  );
}

test("an interruption is no lost bucket", async () => {
  const bridge = without("Unavailable", "aborted");
  await expect(lostBuckets(bridge, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
});

test("every error of a store names the side, the bucket and the region, and keeps its kind", async () => {
  const { to } = new FakeBridge(pullRaw());
  const store = withNamedErrors(to, PLACE);
  await expect(store.getTags("nope")).rejects.toMatchObject({
    ...{ kind: "NotFound", op: "getTags", retryable: false },
    message: expect.stringMatching(/^the destination bucket reports \(aws-cn, cn-north-1\): /),
  });
  to.list = () => failing(new BridgeError("PermissionDenied", "list", "AccessDenied"));
  await expect(store.list("")[Symbol.asyncIterator]().next()).rejects.toMatchObject({ message: `${WHERE}: AccessDenied` });
  // A message that begins with the bucket names it once.
  to.list = () => failing(new BridgeError("NoSuchBucket", "list", "reports: S3 answered list with NoSuchBucket"));
  await expect(store.list("")[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    message: `${WHERE}: S3 answered list with NoSuchBucket`,
  });
  to.head = () => Promise.reject(new TypeError("a bug"));
  await expect(store.head("k")).rejects.toThrow(new TypeError("a bug"));
  expect(store.capabilities).toBe(to.capabilities);
});
