/** The adapters of the stores on recorded answers: of the local emulators, or of the vendors once somebody has recorded those. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  acceptFixtures,
  accountsIn,
  FIXTURES_DIR,
  type Fixture,
  fixtureName,
  fixtureText,
  readFixtures,
  replayFixture,
} from "../../verify-live/recording/fixtures";
import { SCENES } from "../../verify-live/recording/scenes";
import { Scrubber } from "../../verify-live/recording/scrub";

let fixtures: Map<string, Fixture>;
let folder: string;
beforeAll(async () => {
  fixtures = await readFixtures(FIXTURES_DIR);
  folder = await mkdtemp(join(tmpdir(), "fixtures-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const each = (body: (fixture: Fixture, name: string) => Promise<void> | void) => async () => {
  expect(fixtures.size).toBeGreaterThan(0);
  for (const [name, fixture] of fixtures) await body(fixture, name);
};

test("every scene is recorded for S3 and for OSS", () => {
  const recorded = [...fixtures.values()].map(({ family, scene }) => `${family} ${scene}`);
  const wanted = SCENES.flatMap(({ name }) => [`oss ${name}`, `s3 ${name}`]);
  expect([...new Set(recorded)].sort()).toEqual(wanted.sort());
});

test(
  "the adapters make the recorded requests, and understand the recorded answers",
  each(async (fixture, name) => {
    const { problems } = await replayFixture(fixture);
    expect({ name, problems }).toEqual({ name, problems: [] });
  }),
);

test(
  "each says where it was recorded, is named by its scene, and holds nothing secret",
  each((fixture, name) => {
    expect(fixture.recordedFrom).toMatch(
      fixture.vendor ? /^(AWS|AWS China|Alibaba Cloud) [a-z]+-[a-z]+(-\d)?$/ : /^local emulator$/,
    );
    expect(name).toBe(fixtureName(fixture));
    expect(new Scrubber([]).leftovers(JSON.stringify(fixture))).toEqual([]);
  }),
);

const one = (): Fixture => {
  const found = fixtures.get("s3-object-life-versioned.json");
  if (found === undefined) throw new Error("s3-object-life-versioned.json is not recorded");
  return JSON.parse(JSON.stringify(found)) as Fixture;
};

test("another request, another answer and a missing request are noticed", async () => {
  const other = one();
  const [first] = other.exchanges;
  if (first !== undefined) first.request.headers["x-amz-tagging"] = "other=1";
  expect((await replayFixture(other)).problems[0]).toMatch(/^request 1: recorded /);
  const answered = one();
  answered.result = { other: true };
  expect((await replayFixture(answered)).problems).toEqual([expect.stringMatching(/^recorded result /)]);
  const longer = one();
  longer.exchanges.push(longer.exchanges[0] as Fixture["exchanges"][number]);
  expect((await replayFixture(longer)).problems).toEqual(["1 recorded requests were not made"]);
});

test("the recordings of a run are taken into the repository, if they play and hold nothing secret", async () => {
  const [from, into] = [join(folder, "from"), join(folder, "into")];
  await write(from, one());
  expect(await acceptFixtures(from, into)).toEqual(["s3-object-life-versioned.json"]);
  expect(await readFixtures(into)).toEqual(new Map([["s3-object-life-versioned.json", one()]]));

  const secret = one();
  secret.recordedFrom = "AKIAIOSFODNN7EXAMPLE";
  await write(from, secret);
  await expect(acceptFixtures(from, into)).rejects.toThrow("still holds");

  const wrong = one();
  wrong.result = {};
  await write(from, wrong);
  await expect(acceptFixtures(from, into)).rejects.toThrow("does not play");

  await writeFile(join(from, "s3-object-life-versioned.json"), "{}");
  await expect(acceptFixtures(from, into)).rejects.toThrow("is no recording of this version");
  await expect(acceptFixtures(join(folder, "nowhere"), into)).rejects.toThrow(/there is no folder/);
});

async function write(into: string, fixture: Fixture): Promise<void> {
  await mkdir(into, { recursive: true });
  await writeFile(join(into, fixtureName(fixture)), fixtureText(fixture));
}

test("account ids are found in ARNs and in the addresses of queues", () => {
  const found = accountsIn([
    "arn:aws-cn:iam::123456789012:role/x",
    "https://sqs.us-east-1.amazonaws.com/210987654321/queue",
    "https://1234567890123456.mns.cn-shanghai.aliyuncs.com/queues/x",
    "bucket-2026",
  ]);
  expect(found.map(({ value }) => value)).toEqual(["123456789012", "210987654321", "1234567890123456"]);
});
