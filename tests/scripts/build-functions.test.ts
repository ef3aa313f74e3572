import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { unzipSync } from "fflate";
import type { Role } from "../../runtime/protocol/env";
import { type BuiltFunction, buildFunctions, FUNCTIONS, type FunctionPlatform } from "../../scripts/build-functions";

/** Each test bundles everything anew. */
jest.setTimeout(60_000);

let folder: string;
let built: BuiltFunction[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "build-functions-"));
  built = await buildFunctions({ outDir: join(folder, "first") });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const AWS = "aws-lambda";
const FC = "alicloud-fc";
const bundle = (platform: FunctionPlatform, role: Role) => join(folder, "first", platform, role, "index.js");
const copierFile = () => bundle(AWS, "copier");

test("one folder per platform and role with nothing but index.js, and its zip where the platform takes one", async () => {
  expect(built.map(({ platform, role }) => `${platform}/${role}`).sort()).toEqual(
    Object.entries(FUNCTIONS)
      .flatMap(([platform, roles]) => roles.map((role) => `${platform}/${role}`))
      .sort(),
  );
  for (const { platform, path, role, sizeBytes, zipPath } of built) {
    expect(path).toBe(join(folder, "first", platform, role));
    expect(await readdir(path)).toEqual(["index.js"]);
    expect((await stat(bundle(platform, role))).size).toBe(sizeBytes);
    expect(zipPath).toBe(platform === FC ? join(folder, "first", FC, `${role}.zip`) : undefined);
  }
  expect((await readdir(join(folder, "first"))).sort()).toEqual([FC, AWS]);
  expect((await readdir(join(folder, "first", AWS))).sort()).toEqual([...FUNCTIONS[AWS]].sort());
  expect((await readdir(join(folder, "first", FC))).sort()).toEqual(
    FUNCTIONS[FC].flatMap((role) => [role, `${role}.zip`]).sort(),
  );
});

test("no bundle holds a client of undici", async () => {
  // Each mark stands only in one part: undici's mocks, its parser, its HTTP/2 client, and its bodies of forms.
  const marks = ["MockAgent", "wasm_on_headers_complete", "Extended CONNECT protocol not supported", "formdata-undici-"];
  for (const { platform, role } of built) {
    const text = await readFile(bundle(platform, role), "utf8");
    expect([platform, role, marks.filter((mark) => text.includes(mark))]).toEqual([platform, role, []]);
  }
});

test("the packages of a bundle are known with their bytes, the largest first", () => {
  for (const { packages, sizeBytes } of built) {
    const bytes = packages.map((one) => one.bytes);
    expect(bytes).toEqual([...bytes].sort((a, b) => b - a));
    const sum = bytes.reduce((a, b) => a + b, 0);
    // The rest is what esbuild puts between the modules.
    expect(sum).toBeLessThanOrEqual(sizeBytes);
    expect(sum).toBeGreaterThan(0.8 * sizeBytes);
    expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining(["undici", "runtime/platforms", "runtime/protocol"]));
  }
});

/** A function starts for the first key of a burst, and the key waits for it: a new package in a bundle needs a reason. */
const MAX_BUNDLE_BYTES = 300_000;
/** Connections, schemas, S3's and OSS's documents, and how much is done at once. */
const EVERYWHERE = ["undici", "zod", "txml", "p-limit", "yocto-queue"];
/** CRC-64. */
const CHECKSUMS = ["hash-wasm"];
/** The signature between sender and receiver. */
const SIGNING = ["standardwebhooks", "fast-sha256", "@stablelib/base64"];
/** The addresses of sources, and of senders. */
const ADDRESSES = ["ipaddr.js"];
const PACKAGES: Readonly<Record<Role, readonly string[]>> = {
  sender: [...EVERYWHERE, ...CHECKSUMS, ...SIGNING],
  receiver: [...EVERYWHERE, ...CHECKSUMS, ...SIGNING, ...ADDRESSES],
  copier: [...EVERYWHERE, ...CHECKSUMS, ...ADDRESSES],
  dispatcher: EVERYWHERE,
  pusher: [...EVERYWHERE, ...CHECKSUMS],
  prober: [...EVERYWHERE, ...CHECKSUMS],
  notifier: ["undici", "zod", "txml", ...SIGNING],
};

test("no bundle is larger than a function may start with", () => {
  const large = built.filter(({ sizeBytes }) => sizeBytes > MAX_BUNDLE_BYTES);
  expect(large.map(({ platform, role, sizeBytes }) => `${platform}/${role}: ${sizeBytes} bytes`)).toEqual([]);
});

test("a bundle holds exactly the packages that its role needs", () => {
  for (const { platform, role, packages } of built) {
    const found = packages.map(({ name }) => name).filter((name) => !/^(runtime|scripts)\//.test(name));
    expect([platform, role, found.sort()]).toEqual([platform, role, [...PACKAGES[role]].sort()]);
  }
});

test("a zip holds the bundle and nothing else", async () => {
  for (const { platform, role, zipPath } of built) {
    if (zipPath === undefined) continue;
    const zip = await readFile(zipPath);
    // 1980-01-01 00:00, whenever and in whatever time zone it was built. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
    expect([zip.readUInt16LE(10), zip.readUInt16LE(12)]).toEqual([0, 0x21]);
    const files = unzipSync(zip);
    expect(Object.keys(files)).toEqual(["index.js"]);
    expect(Buffer.from(files["index.js"] as Uint8Array).equals(await readFile(bundle(platform, role)))).toBe(true);
  }
});

test("the same sources give the same bytes, wherever they are written", async () => {
  const again = await buildFunctions({ outDir: join(folder, "second") });
  const files = (all: BuiltFunction[]) =>
    all.flatMap(({ path, zipPath }) => [join(path, "index.js"), ...(zipPath ? [zipPath] : [])]);
  const [one, two] = await Promise.all([built, again].map((all) => Promise.all(files(all).map((file) => readFile(file)))));
  expect(one).toHaveLength(17);
  one?.forEach((bytes, index) => {
    expect(bytes.equals(two?.[index] as Buffer)).toBe(true);
    expect(bytes.includes(resolve(__dirname, "../.."))).toBe(false);
  });
});

test("a second build leaves unchanged files alone and removes what does not belong there", async () => {
  const zip = join(folder, "first", FC, "pusher.zip");
  const before = await Promise.all([stat(copierFile()), stat(zip)]);
  const strays = [join(AWS, "copier", "stray.js"), join(FC, "other.zip"), "sender"].map((name) => join(folder, "first", name));
  for (const stray of strays) await writeFile(stray, "");
  await buildFunctions({ outDir: join(folder, "first") });
  const after = await Promise.all([stat(copierFile()), stat(zip)]);
  expect(after.map(({ mtimeMs }) => mtimeMs)).toEqual(before.map(({ mtimeMs }) => mtimeMs));
  for (const stray of strays) await expect(stat(stray)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a changed bundle is replaced", async () => {
  const original = await readFile(copierFile());
  await writeFile(copierFile(), "old");
  await buildFunctions({ outDir: join(folder, "first") });
  expect((await readFile(copierFile())).equals(original)).toBe(true);
});
