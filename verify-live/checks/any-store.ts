/** Facts about both kinds of stores. */
import { storeCredentials } from "../../operator/clouds/aws";
import type { SideAccess } from "../../operator/operated-bridge";
import { type CheckContext, holds, type LiveSide, type StoreCheck } from "../check";
import { answerText, request, withoutQuery } from "../raw";
import { accountsIn, familyOf, fixtureName, fixtureText, recordScene } from "../recording/fixtures";
import type { Known } from "../recording/leftovers";
import { SCENES } from "../recording/scenes";

const MINUTE_MS = 60_000;
const BYTES = Buffer.from("private");
const URL_SECONDS = 300;
const REFUSED: ReadonlySet<number> = new Set([401, 403]);

const bucketRefusesStrangers: StoreCheck = {
  name: "bucket-refuses-strangers",
  on: "any store",
  fact: "Without a signature, or with a changed one, nobody reads, lists or writes the bucket.",
  why: "The only right that crosses the border is a URL of one object.",
  source: "docs/security.md",
  reliesOn: ["components/aws/bucket.ts", "components/alicloud/bucket.ts", "runtime/http/sigv4.ts", "runtime/stores/oss/sign.ts"],
  safeOn: "any-stack",
  timeoutMs: 5 * MINUTE_MS,
  async run({ keys, signal }, { store, dispatcher }) {
    const key = `${keys.still}private`;
    await store.put(key, BYTES, { attributes: { headers: {}, metadata: {}, tags: {} }, sizeBytes: BYTES.length, signal });
    const url = await store.presignGet(key, { expiresInSeconds: URL_SECONDS });
    const plain = withoutQuery(url);
    const listing = `${plain.slice(0, -key.length)}?list-type=2`;
    const asked = {
      "a read without a signature": await request(dispatcher, plain, { signal }),
      "a read with another key's signature": await request(dispatcher, url.replace(plain, `${plain}-other`), { signal }),
      "a listing without a signature": await request(dispatcher, listing, { signal }),
      "a write without a signature": await request(dispatcher, plain, { method: "PUT", body: BYTES, signal }),
    };
    const seen = Object.entries(asked).map(([what, answer]) => {
      holds(REFUSED.has(answer.status), `${what} was answered with ${answerText(answer)}`);
      return `${what}: ${answerText(answer)}`;
    });
    const right = await request(dispatcher, url, { signal });
    // A host of the vendor's may refuse every URL; that is another fact.
    return [...seen, `the URL itself: ${answerText(right)}`];
  },
};

const CLOUDS = { aws: "AWS", "aws-cn": "AWS China", alicloud: "Alibaba Cloud" } as const;

const storeAnswers: StoreCheck = {
  name: "store-answers",
  on: "any store",
  fact: "The store answers the requests of this code as the adapters expect. The requests and answers are recorded, and the unit tests play them again.",
  why: "The emulators are written from documentation. A recording shows where they differ.",
  source: "tests/fixtures/live",
  reliesOn: ["runtime/stores/s3/store.ts", "runtime/stores/oss/store.ts"],
  safeOn: "any-stack",
  timeoutMs: 10 * MINUTE_MS,
  async run(context, side) {
    const { local, keys, keepFixture } = context;
    const known = await secretsOf(context, side);
    const family = familyOf(side.cloud);
    const names: string[] = [];
    for (const scene of SCENES) {
      const fixture = await recordScene(scene, {
        recordedFrom: local ? "local emulator" : `${CLOUDS[side.cloud]} ${side.region}`,
        recordedOn: new Date().toISOString().slice(0, 10),
        family,
        versioned: side.versioned ?? true,
        vendor: !local,
        bucket: side.bucket,
        prefix: keys.still,
        dispatcher: side.dispatcher,
        open: (dispatcher) => side.open({ dispatcher }),
        known,
      });
      await keepFixture(fixtureName(fixture), fixtureText(fixture));
      names.push(scene.name);
    }
    return [`recorded: ${names.join(", ")}`];
  },
};

/** Everything that this run knows and that a recording must not hold. */
async function secretsOf({ bridge }: CheckContext, { access }: LiveSide): Promise<Known[]> {
  return [
    ...(await credentialsOf(access)),
    ...accountsIn(Object.values(bridge.outputs).filter((value) => typeof value === "string")),
    { value: bridge.source.bucket, as: "fixture-bucket" },
    { value: bridge.destination.bucket, as: "fixture-bucket" },
  ];
}

async function credentialsOf(access: SideAccess): Promise<Known[]> {
  if (access.cloud === "alicloud") {
    const { accessKeyId, accessKeySecret, securityToken = "" } = await access.credentials();
    return named(accessKeyId, accessKeySecret, securityToken);
  }
  const { accessKeyId, secretAccessKey, sessionToken = "" } = await storeCredentials(access)();
  return named(accessKeyId, secretAccessKey, sessionToken);
}

const named = (accessKey: string, secret: string, token: string): Known[] => [
  { value: accessKey, as: "access-key" },
  { value: secret, as: "secret-key" },
  { value: token, as: "session-token" },
];

export const ANY_STORE_CHECKS: readonly StoreCheck[] = [bucketRefusesStrangers, storeAnswers];
