/** Records scenes into fixtures, reads fixtures, and plays scenes on them. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Dispatcher } from "undici";
import * as z from "zod";
import { UsageError } from "../../operator/command";
import { parseJson } from "../../runtime/protocol/json";
import type { ObjectStore } from "../../runtime/stores/object-store";
import { createOssStore } from "../../runtime/stores/oss/store";
import { createS3Store } from "../../runtime/stores/s3/store";
import type { Known } from "./leftovers";
import { RecordingDispatcher } from "./record";
import { FIXTURE_BUCKET, FIXTURE_PREFIX, ReplayDispatcher, withoutBucket } from "./replay";
import { SCENES, type Scene } from "./scenes";
import { Scrubber } from "./scrub";

/** The recordings that the unit tests play. */
export const FIXTURES_DIR = join(__dirname, "..", "..", "tests", "fixtures", "live");

export const FAMILIES = ["s3", "oss"] as const;
export type Family = (typeof FAMILIES)[number];
export const familyOf = (cloud: string): Family => (cloud === "alicloud" ? "oss" : "s3");

const bodySchema = z.union([z.strictObject({ text: z.string() }), z.strictObject({ base64: z.string() })]);
const headersSchema = z.record(z.string(), z.string());
const fixtureSchema = z.strictObject({
  /** `local emulator`, or the cloud and the region. */
  recordedFrom: z.string().min(1),
  recordedOn: z.iso.date(),
  family: z.enum(FAMILIES),
  scene: z.string().min(1),
  /** Whether the bucket kept versions. */
  versioned: z.boolean(),
  /** Whether the vendor itself answered. The stores trust some headers of the vendor alone. */
  vendor: z.boolean(),
  /** What the scene returned. */
  result: z.unknown(),
  exchanges: z.array(
    z.strictObject({
      request: z.strictObject({
        method: z.string(),
        path: z.string(),
        query: z.array(z.string()),
        headers: headersSchema,
        body: bodySchema.optional(),
      }),
      answer: z.strictObject({ status: z.number().int(), headers: headersSchema, body: bodySchema.optional() }),
    }),
  ),
});
export type Fixture = z.infer<typeof fixtureSchema>;

export interface SceneRecording extends Pick<Fixture, "recordedFrom" | "recordedOn" | "family" | "versioned" | "vendor"> {
  bucket: string;
  /** Where the keys of the scenes begin. */
  prefix: string;
  /** Sends the requests. */
  dispatcher: Dispatcher;
  open(dispatcher: Dispatcher): ObjectStore;
  /** Besides the bucket and the prefix. */
  known: readonly Known[];
}

/** Plays the scene on a real bucket. @throws Error if the store breaks its contract, or if something secret would be stored */
export async function recordScene(scene: Scene, recording: SceneRecording): Promise<Fixture> {
  const { recordedFrom, recordedOn, family, versioned, vendor, bucket, prefix } = recording;
  const recorder = new RecordingDispatcher(recording.dispatcher);
  const found = await scene.play(recording.open(recorder), prefix);
  const scrubber = new Scrubber([
    ...recording.known,
    { value: prefix, as: FIXTURE_PREFIX },
    { value: bucket, as: FIXTURE_BUCKET },
  ]);
  const exchanges = recorder.exchanges.map((raw) => scrubber.clean({ ...raw, path: withoutBucket(raw.path, bucket) }));
  const result: unknown = JSON.parse(scrubber.text(JSON.stringify(found)));
  const fixture = { recordedFrom, recordedOn, family, scene: scene.name, versioned, vendor, result, exchanges };
  scrubber.assertClean(JSON.stringify(fixture));
  return fixture as Fixture;
}

export interface Replay {
  result: unknown;
  /** Requests that differ from the recording, and recorded requests that were not made. */
  problems: string[];
}

/** Plays the scene of the fixture on its recorded answers. */
export async function replayFixture(fixture: Fixture, scenes: readonly Scene[] = SCENES): Promise<Replay> {
  const scene = scenes.find(({ name }) => name === fixture.scene);
  if (scene === undefined) throw new Error(`there is no scene ${fixture.scene}: remove its fixture`);
  const dispatcher = new ReplayDispatcher(fixture.exchanges);
  let result: unknown;
  try {
    result = JSON.parse(JSON.stringify(await scene.play(storeOf(fixture, dispatcher), FIXTURE_PREFIX)));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { result: undefined, problems: [...dispatcher.problems, `the scene ${scene.name} failed: ${why}`] };
  }
  const left = dispatcher.left > 0 ? [`${dispatcher.left} recorded requests were not made`] : [];
  const other = isDeepStrictEqual(result, fixture.result)
    ? []
    : [`recorded result ${JSON.stringify(fixture.result)}, played ${JSON.stringify(result)}`];
  return { result, problems: [...dispatcher.problems, ...left, ...other] };
}

/** Never reached: no connection is made. */
const NOWHERE = "https://localhost";

function storeOf({ family, versioned, vendor }: Fixture, dispatcher: Dispatcher): ObjectStore {
  const options = { bucket: FIXTURE_BUCKET, endpoint: vendor ? undefined : NOWHERE, dispatcher };
  if (family === "s3")
    return createS3Store({
      ...options,
      region: "us-east-1",
      credentials: () => ({ accessKeyId: "replayed", secretAccessKey: "replayed" }),
    });
  const credentials = async () => ({ accessKeyId: "replayed", accessKeySecret: "replayed" });
  return createOssStore({ ...options, region: "us-west-1", credentials, versioned });
}

export const fixtureName = ({ family, scene, versioned }: Pick<Fixture, "family" | "scene" | "versioned">): string =>
  `${family}-${scene}${versioned ? "-versioned" : ""}.json`;

export const fixtureText = (fixture: Fixture): string => `${JSON.stringify(fixture, null, 1)}\n`;

/** By file name, sorted. @throws UsageError for a file that is no fixture */
export async function readFixtures(folder: string): Promise<Map<string, Fixture>> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw new UsageError(`there is no folder ${folder}`);
    throw error;
  });
  const fixtures = new Map<string, Fixture>();
  for (const name of names.filter((one) => one.endsWith(".json")).sort()) {
    const parsed = fixtureSchema.safeParse(parseJson(await readFile(join(folder, name), "utf8")));
    if (!parsed.success)
      throw new UsageError(`${join(folder, name)} is no recording of this version: ${z.prettifyError(parsed.error)}`);
    fixtures.set(name, parsed.data as Fixture);
  }
  return fixtures;
}

/**
 * Takes the recordings of a run into the repository, over those of the same scenes.
 * @returns the names of the files
 * @throws UsageError where a recording holds something secret, or does not play
 */
export async function acceptFixtures(from: string, into = FIXTURES_DIR): Promise<string[]> {
  const fixtures = await readFixtures(from);
  if (fixtures.size === 0) throw new UsageError(`${from} holds no recordings`);
  const scrubber = new Scrubber([]);
  for (const [name, fixture] of fixtures) {
    scrubber.assertClean(JSON.stringify(fixture));
    const { problems } = await replayFixture(fixture);
    if (problems.length > 0) throw new UsageError(`${name} does not play: ${problems[0]}`);
  }
  await mkdir(into, { recursive: true });
  for (const [name, fixture] of fixtures) await writeFile(join(into, name), fixtureText(fixture));
  return [...fixtures.keys()];
}

/** Values that a text names and that nobody may see: account ids in ARNs and in the addresses of queues. */
export function accountsIn(texts: readonly string[]): Known[] {
  const ids = texts.flatMap((text) => text.match(/(?<!\d)(?:\d{16}|\d{12})(?!\d)/g) ?? []);
  return [...new Set(ids)].map((value) => ({ value, as: "account" }));
}
