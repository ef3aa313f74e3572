import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { allowedSourceOf } from "../../components/aws/stores";
import { parameterArn } from "../../components/aws/token";
import { eventFilter } from "../../components/aws/trigger";
import { customZip, packageRoot, prebuiltBundle, prebuiltZip } from "../../components/bundles";
import { allowedSourcesSchema } from "../../runtime/protocol/env";

describe("where presigned URLs point", () => {
  test.each([
    ["b", "b.s3.us-east-1.amazonaws.com", "https://b.s3.us-east-1.amazonaws.com", "/"],
    ["b", "b.s3.cn-north-1.amazonaws.com.cn", "https://b.s3.cn-north-1.amazonaws.com.cn", "/"],
    ["b", "127.0.0.1:4666/b", "https://127.0.0.1:4666", "/b/"],
    ["b", "store.example.com/b", "https://store.example.com", "/b/"],
    // No certificate covers two labels in front of s3, so the SDK goes by path.
    ["a.b", "a.b.s3.us-east-1.amazonaws.com", "https://s3.us-east-1.amazonaws.com", "/a.b/"],
  ])("%s at %s", (bucket, domain, origin, pathPrefix) => {
    expect(allowedSourceOf(bucket, domain)).toEqual({ origin, pathPrefix });
    expect(allowedSourcesSchema.safeParse([allowedSourceOf(bucket, domain)]).success).toBe(true);
  });
});

describe("events", () => {
  test.each([
    [[], [], {}],
    [["in/"], [], { filterPrefix: "in/" }],
    [[], [".pdf"], { filterSuffix: ".pdf" }],
    [["in/"], [".pdf"], { filterPrefix: "in/", filterSuffix: ".pdf" }],
    [["a/", "b/"], [".pdf"], { filterSuffix: ".pdf" }],
    [["a/"], [".pdf", ".csv"], { filterPrefix: "a/" }],
    [["with space/"], ["+x"], {}],
    [["中文/"], [], {}],
  ])("prefixes %j and suffixes %j", (prefixes, suffixes, filter) => {
    expect(eventFilter({ prefixes, suffixes })).toEqual(filter);
  });
});

test.each([
  ["/a/b", "arn:aws-cn:ssm:cn-north-1:222222222222:parameter/a/b"],
  ["plain", "arn:aws-cn:ssm:cn-north-1:222222222222:parameter/plain"],
])("ARN of parameter %s", (name, arn) => {
  expect(parameterArn("aws-cn", "cn-north-1", "222222222222", name)).toBe(arn);
});

describe("bundles", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bundles-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const installed = (depth: string) => {
    writeFileSync(join(folder, "package.json"), '{"name":"crossborderbridge"}');
    mkdirSync(join(folder, depth), { recursive: true });
    return join(folder, depth);
  };

  test("the package is found from a checkout and from an installed package", () => {
    expect(packageRoot(installed("components"))).toBe(folder);
    expect(packageRoot(installed("dist/components/aws"))).toBe(folder);
  });

  test("a package.json of another name on the way is passed by", () => {
    const inner = installed("dist/components");
    writeFileSync(join(folder, "dist", "package.json"), '{"type":"commonjs"}');
    expect(packageRoot(inner)).toBe(folder);
  });

  test("outside the package says so", () => {
    expect(() => packageRoot(folder)).toThrow(/no package.json named "crossborderbridge"/);
  });

  test("a bundle that was not built names the command", () => {
    expect(() => prebuiltBundle("aws-lambda", "sender", folder)).toThrow(
      `${join(folder, "dist", "functions", "aws-lambda", "sender", "index.js")} is missing: run "npm run build" in ${folder}`,
    );
  });

  test("a bundle is the role's folder", async () => {
    const bundle = join(installed("dist/functions/aws-lambda/copier"));
    writeFileSync(join(bundle, "index.js"), "");
    const archive = prebuiltBundle("aws-lambda", "copier", folder) as pulumi.asset.FileArchive;
    expect(archive).toBeInstanceOf(pulumi.asset.FileArchive);
    expect(await archive.path).toBe(bundle);
  });
});

describe("zips for Function Compute", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zips-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const BYTES = Buffer.from("PK, and whatever follows");
  const ZIP = BYTES.toString("base64");

  test("the prebuilt one is read whole", () => {
    const place = join(folder, "dist", "functions", "alicloud-fc");
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "pusher.zip"), BYTES);
    expect(prebuiltZip("pusher", folder)).toBe(ZIP);
  });

  test("one that was not built names the command", () => {
    expect(() => prebuiltZip("pusher", folder)).toThrow(
      `${join(folder, "dist", "functions", "alicloud-fc", "pusher.zip")} is missing: run "npm run build" in ${folder}`,
    );
  });

  test("a zip of one's own is a FileArchive of a .zip, and nothing else", async () => {
    const path = join(folder, "mine.zip");
    writeFileSync(path, BYTES);
    expect(await customZip('CrossBorderBridge "b"', "sender", new pulumi.asset.FileArchive(path))).toBe(ZIP);
    const archive = new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset("") });
    await expect(customZip('CrossBorderBridge "b"', "sender", archive)).rejects.toThrow(
      'CrossBorderBridge "b": bundles.sender is no file: Function Compute takes a new pulumi.asset.FileArchive("<file>.zip")',
    );
    const other = customZip('CrossBorderBridge "b"', "sender", new pulumi.asset.FileArchive(folder));
    await expect(other).rejects.toThrow(`bundles.sender is ${folder}, which is no .zip`);
  });
});

describe("source text", () => {
  const root = join(__dirname, "..", "..");
  const files = ["components", "runtime"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join(root, folder, file)),
  );
  const offenders = (pattern: RegExp) => files.filter((file) => pattern.test(readFileSync(file, "utf8")));

  test("writes no partition into an ARN", () => {
    expect(files.length).toBeGreaterThan(40);
    expect(offenders(/arn:(?:aws|aws-cn|aws-us-gov):/)).toEqual([]);
  });

  test("writes down no endpoint's suffix and no service principal", () => {
    expect(offenders(/"[^"]*\.amazonaws\.com(?:\.cn)?"/)).toEqual([]);
  });
});
