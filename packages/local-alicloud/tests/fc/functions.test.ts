import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import type { FunctionSpec } from "../../src/contracts";
import { crc64Of } from "../../src/crc64";
import { ACCOUNT, type FcFixture, GATED, REGION, specOf, startFixture, until, zipOf } from "./fc-fixture";

let fixture: FcFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

const MIB = 1024 * 1024;

/** A zip whose directory names the same bytes so many times. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
function sharing(content: Buffer, files: number, compress?: (bytes: Buffer) => Buffer): Buffer {
  const body = compress?.(content) ?? content;
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(compress === undefined ? 0 : 8, 4);
  common.writeUInt32LE(body.length, 14);
  // A file that is not compressed can claim to be empty.
  common.writeUInt32LE(compress === undefined ? 0 : content.length, 18);
  const named = (name: string) => {
    const entry = Buffer.concat([Buffer.from("PK\x01\x02\x14\x03", "latin1"), common, Buffer.alloc(14), Buffer.from(name)]);
    entry.writeUInt16LE(name.length, 28);
    return entry;
  };
  const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, body]);
  const directory = Buffer.concat(Array.from({ length: files }, (_, index) => named(`${index}.js`)));
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(files, 8);
  end.writeUInt16LE(files, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, directory, end]);
}

const ANSWER = (text: string) => `exports.handler = async () => ${JSON.stringify(text)};`;

test("a function is described as the service does", async () => {
  const spec = specOf("described", ANSWER("x"), { environmentVariables: { A: "1" }, description: "d" });
  const record = await fixture.fc.createFunction(REGION, spec);
  const { code, ...settings } = spec;
  expect(record).toEqual({
    ...settings,
    functionArn: `acs:fc:${REGION}:${ACCOUNT}:functions/described`,
    functionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    codeSize: code.length,
    codeChecksum: crc64Of(code),
    createdTime: "2026-11-21T10:00:00.500Z",
    lastModifiedTime: "2026-11-21T10:00:00.500Z",
  });
  expect(fixture.fc.getFunction(REGION, "described")).toEqual(record);
  expect(fixture.fc.getFunction("us-west-1", "described")).toBeUndefined();
});

test.each<[string, Partial<FunctionSpec>, RegExp]>([
  ["a name that starts with a digit", { functionName: "1st" }, /functionName/],
  ["a name of 65 letters", { functionName: "a".repeat(65) }, /functionName/],
  ["another runtime", { runtime: "python3.10" }, /python3.10.*not served here/],
  ["a handler without a file", { handler: "handler" }, /handler/],
  ["a handler elsewhere", { handler: "../index.handler" }, /handler/],
  ["a handler whose file is not in the zip", { handler: "main.handler" }, /main\.js or main\.mjs/],
  ["a role of another account", { role: "acs:ram::1:role/function" }, /role/],
  ["code that is no zip", { code: Buffer.from("no zip") }, /not a zip/],
  ["code with a file outside", { code: zipOf({ "index.js": "", "../evil.js": "" }) }, /outside its folder/],
  [
    "code that is too large unpacked",
    { code: sharing(Buffer.alloc(16 * MIB), 32, deflateRawSync) },
    /more than 500 MiB unpacked/,
  ],
  ["code whose files share their bytes", { code: sharing(Buffer.alloc(MIB), 501) }, /more than 500 MiB unpacked/],
  ["a cpu between the steps", { cpu: 0.27 }, /cpu/],
  ["too little memory", { memorySize: 64, cpu: 0.05 }, /memorySize/],
  ["memory between the steps", { memorySize: 500 }, /memorySize/],
  ["more cpu than memory", { cpu: 0.55 }, /1:1 and 1:4/],
  ["much more memory than cpu", { cpu: 0.1 }, /1:1 and 1:4/],
  ["another disk", { diskSize: 1024 }, /diskSize/],
  ["no time", { timeout: 0 }, /timeout/],
  ["more than a day", { timeout: 86_401 }, /timeout/],
  ["two at once in a built-in runtime", { instanceConcurrency: 2 }, /instanceConcurrency.*custom runtimes/],
  ["a reserved variable", { environmentVariables: { FC_REGION: "x" } }, /FC_\* is reserved/],
  ["a variable's name with a hyphen", { environmentVariables: { "A-B": "x" } }, /A-B/],
  ["more than 4 KB of variables", { environmentVariables: { A: "x".repeat(4096) } }, /4097 bytes/],
])("%s is refused", async (_, changes, message) => {
  const refusal = { status: 400, code: "InvalidArgument", message: expect.stringMatching(message) };
  await expect(fixture.fc.createFunction(REGION, specOf("refused", ANSWER("x"), changes))).rejects.toMatchObject(refusal);
  expect(fixture.fc.getFunction(REGION, "refused")).toBeUndefined();
});

test("a missing region, a missing role and a second function of the name are refused", async () => {
  const create = (region: string, changes: Partial<FunctionSpec> = {}) =>
    fixture.fc.createFunction(region, specOf("once", ANSWER("x"), changes));
  await expect(create("cn-beijing")).rejects.toMatchObject({ message: expect.stringContaining("cn-shanghai, us-west-1") });
  await expect(create(REGION, { role: `acs:ram::${ACCOUNT}:role/none` })).rejects.toMatchObject({ code: "EntityNotExist.Role" });
  await create(REGION);
  await create("us-west-1");
  await expect(create(REGION)).rejects.toMatchObject({ status: 409, code: "FunctionAlreadyExists" });
});

test("a log store that the service does not know is refused", async () => {
  const strict = await startFixture({
    findsLogStore: (region, project, logstore) => `${region} ${project} ${logstore}` === "cn-shanghai logs a",
  });
  const create = (logstore: string) =>
    strict.fc.createFunction(REGION, specOf("logging", ANSWER("x"), { logConfig: { project: "logs", logstore } }));
  const refusal = { status: 400, code: "InvalidArgument", message: "project 'logs' does not exist" };
  await expect(create("b")).rejects.toMatchObject(refusal);
  await create("a");
  const update = strict.fc.updateFunction(REGION, "logging", { logConfig: { project: "logs", logstore: "b" } });
  await expect(update).rejects.toMatchObject(refusal);
  await strict.stop();
});

test("an update applies to the next invocation; a running one ends with the old code", async () => {
  await fixture.create("updated", GATED, { environmentVariables: { V: "1" } });
  const gate = join(fixture.runDir, "gate-update");
  const running = fixture.call("updated", { gate });
  await until(() => fixture.fc.logs(REGION, "updated").some((line) => line.endsWith("started")));
  fixture.clock.now += 1000;
  const code = zipOf({ "index.js": ANSWER("new") });
  const record = await fixture.fc.updateFunction(REGION, "updated", { code });
  expect(record).toMatchObject({ codeSize: code.length, lastModifiedTime: "2026-11-21T10:00:01.500Z" });
  expect(record.createdTime).not.toBe(record.lastModifiedTime);
  expect((await fixture.call("updated")).text).toBe("new");
  await writeFile(gate, "");
  expect((await running).text).toMatch(/^\d+$/);
  // The old code and its process are removed.
  const codeOf = () => readdirSync(join(fixture.runDir, record.functionId)).filter((name) => name.startsWith("code-"));
  await until(
    () => codeOf().join() === "code-1" && fixture.fc.workers().filter((w) => w.functionName === "updated").length === 1,
  );

  await expect(fixture.fc.updateFunction(REGION, "updated", { handler: "main.handler" })).rejects.toMatchObject({
    message: expect.stringContaining("main.js"),
  });
  await expect(fixture.fc.updateFunction(REGION, "updated", { functionName: "other" })).rejects.toMatchObject({ status: 400 });
  await fixture.fc.updateFunction(REGION, "updated", {
    code: zipOf({ "index.js": "exports.handler = async () => process.env.V" }),
  });
  await fixture.fc.updateFunction(REGION, "updated", { environmentVariables: { V: "2" } });
  expect((await fixture.call("updated")).text).toBe("2");
});

test("a function with triggers is not deleted; without them its processes and files are removed", async () => {
  await fixture.create("deleted", ANSWER("x"));
  const trigger = { triggerName: "http", triggerType: "http" as const, qualifier: "LATEST" };
  const triggerConfig = JSON.stringify({ authType: "anonymous", methods: ["GET"] });
  fixture.fc.createTrigger(REGION, "deleted", { ...trigger, triggerConfig });
  await expect(fixture.fc.deleteFunction(REGION, "deleted")).rejects.toMatchObject({ status: 409, code: "FunctionNotEmpty" });
  fixture.fc.deleteTrigger(REGION, "deleted", "http");
  await fixture.call("deleted");
  const folder = join(fixture.runDir, fixture.fc.getFunction(REGION, "deleted")?.functionId ?? "");
  expect(existsSync(folder)).toBe(true);
  await fixture.fc.deleteFunction(REGION, "deleted");
  expect(existsSync(folder)).toBe(false);
  expect(fixture.fc.workers().filter((worker) => worker.functionName === "deleted")).toEqual([]);
  await expect(fixture.call("deleted")).rejects.toMatchObject({ status: 404, code: "FunctionNotFound" });
  await expect(fixture.fc.deleteFunction(REGION, "deleted")).rejects.toMatchObject({ code: "FunctionNotFound" });
});

test("concurrency and asynchronous settings are stored, and values out of range refused", async () => {
  const { fc } = fixture;
  await fixture.create("settings", ANSWER("x"));
  expect(fc.getConcurrency(REGION, "settings")).toBeUndefined();
  fc.putConcurrency(REGION, "settings", 3);
  expect(fc.getConcurrency(REGION, "settings")).toBe(3);
  expect(() => fc.putConcurrency(REGION, "settings", 101)).toThrow("0 to 100");
  fc.deleteConcurrency(REGION, "settings");
  expect(fc.getConcurrency(REGION, "settings")).toBeUndefined();
  fc.putAsyncInvokeConfig(REGION, "settings", { maxAsyncRetryAttempts: 8, maxAsyncEventAgeInSeconds: 604_800 });
  expect(fc.getAsyncInvokeConfig(REGION, "settings")).toEqual({ maxAsyncRetryAttempts: 8, maxAsyncEventAgeInSeconds: 604_800 });
  expect(() => fc.putAsyncInvokeConfig(REGION, "settings", { maxAsyncRetryAttempts: 9 })).toThrow("0 to 8");
  expect(() => fc.putAsyncInvokeConfig(REGION, "settings", { maxAsyncEventAgeInSeconds: 604_801 })).toThrow("1 to 604800");
  fc.deleteAsyncInvokeConfig(REGION, "settings");
  expect(fc.getAsyncInvokeConfig(REGION, "settings")).toBeUndefined();
  expect(() => fc.putConcurrency(REGION, "missing", 1)).toThrow("does not exist");
});
