/** Projects, log stores and indexes, with the requests of the vendor's Go client and of its Terraform provider. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Served } from "../../src/api/http";
import { ensureCertificate } from "../../src/certificate";
import type { CallRecord, LogEntry } from "../../src/contracts";
import { serveLogs } from "../../src/log-service/log-service";
import { createRam, type LocalRam } from "../../src/ram/ram";
import { createSettingRecords, type SettingRecords } from "../../src/records";
import { ACCOUNT, type Keys, REGION } from "../api/api-fixture";
import { type LogClientOptions, type LogRequest, type LogSignature, sendLog } from "./log-client";

let folder: string;
let ca: string;
let served: Served;
let ram: LocalRam;
let names = 0;
const calls: CallRecord[] = [];
const failures: unknown[] = [];
const entries: LogEntry[] = [];
const records: SettingRecords = createSettingRecords();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "local-sls-"));
  const tls = await ensureCertificate(folder);
  ca = readFileSync(tls.certPath, "utf8");
  ram = createRam({ accountId: ACCOUNT });
  served = await serveLogs({
    ...{ accountId: ACCOUNT, region: REGION, ram, tls, records, fc: { logEntries: () => entries } },
    ...{ onCall: (call) => calls.push(call), onFailure: (error) => failures.push(error) },
  });
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
  expect(failures).toEqual([]);
});

const send = (request: LogRequest, options: Partial<LogClientOptions> = {}) =>
  sendLog({ origin: served.origin, ca, keys: ram.root, region: REGION, ...options }, request);

/** The body of a successful answer. */
async function ok(request: LogRequest): Promise<Record<string, unknown>> {
  const { status, body } = await send(request);
  expect([status, body]).toEqual([200, body]);
  return body as Record<string, unknown>;
}
const refused = async (request: LogRequest, options?: Partial<LogClientOptions>) => {
  const { status, body } = await send(request, options);
  return { status, code: (body as { errorCode?: string }).errorCode };
};

async function newProject(description = ""): Promise<string> {
  const projectName = `project-${++names}`;
  await ok({ method: "POST", path: "/", body: { projectName, description } });
  return projectName;
}
async function newStore(): Promise<{ project: string; path: string }> {
  const project = await newProject();
  await ok({ method: "POST", path: "/logstores", project, body: { logstoreName: "functions", ttl: 7, shardCount: 2 } });
  return { project, path: "/logstores/functions" };
}

describe.each<LogSignature>(["sha1", "sha256", "v4"])("the signature %s", (signature) => {
  const list = { method: "GET", path: "/", query: { size: "10", offset: "0", projectName: "日 + %" } };

  test("is accepted with a query, with a body, and with a token of STS", async () => {
    expect(await send(list, { signature })).toMatchObject({ status: 200 });
    const projectName = `signed-${signature}`;
    const create = { method: "POST", path: "/", body: { projectName, description: "é" } };
    expect(await send(create, { signature })).toMatchObject({ status: 200 });
    expect(await send(list, { signature, keys: sessionFor(["log:ListProject"], ["*"]) })).toMatchObject({ status: 200 });
  });

  test.each<[string, LogClientOptions["change"]]>([
    ["another path", (_, sent) => void Object.assign(sent, { path: "/logstores" })],
    ["a header of the service's more", (headers) => void Object.assign(headers, { "x-log-compresstype": "lz4" })],
  ])("does not cover %s", async (_, change) => {
    expect(await refused(list, { signature, change })).toEqual({ status: 401, code: "SignatureNotMatch" });
  });

  test("does not cover another body", async () => {
    const create = { method: "POST", path: "/", body: { projectName: "other-body", description: "" } };
    const change: LogClientOptions["change"] = (headers, sent) => {
      sent.body = sent.body.replace("other", "wrong");
      if (headers["content-length"] !== undefined) headers["content-length"] = String(sent.body.length);
    };
    const { status, code } = await refused(create, { signature, change });
    expect([status, code]).toEqual(signature === "v4" ? [401, "SignatureNotMatch"] : [400, "PostBodyInvalid"]);
  });

  test("is refused with a wrong secret, an unknown key, an old date or a foreign token", async () => {
    const wrong = { ...ram.root, accessKeySecret: "wrong" };
    expect(await refused(list, { signature, keys: wrong })).toEqual({ status: 401, code: "SignatureNotMatch" });
    const unknown = { ...ram.root, accessKeyId: "LTAIwho" };
    expect(await refused(list, { signature, keys: unknown })).toEqual({ status: 401, code: "Unauthorized" });
    const late = { signature, now: () => Date.now() - 16 * 60_000 };
    expect(await refused(list, late)).toEqual({ status: 400, code: "RequestTimeExpired" });
    const foreign = { ...ram.root, securityToken: "token" };
    expect(await refused(list, { signature, keys: foreign })).toEqual({ status: 401, code: "Unauthorized" });
  });
});

test("the newest signature does not cover another host", async () => {
  const change = (headers: Record<string, string>) => void Object.assign(headers, { host: "other.localhost" });
  const list = { method: "GET", path: "/", project: "one" };
  expect(await refused(list, { signature: "v4", change })).toEqual({ status: 401, code: "SignatureNotMatch" });
});

test("requests without a signature, with another method of signing and for another region are refused", async () => {
  const list = { method: "GET", path: "/" };
  const without = (headers: Record<string, string>) => void delete headers.authorization;
  expect(await refused(list, { change: without })).toEqual({ status: 400, code: "MissingAuthorization" });
  const md5 = (headers: Record<string, string>) => void Object.assign(headers, { "x-log-signaturemethod": "hmac-md5" });
  expect(await refused(list, { change: md5 })).toEqual({ status: 400, code: "InvalidSignatureMethod" });
  expect(await refused(list, { signature: "v4", region: "us-west-1" })).toEqual({ status: 400, code: "InvalidAuthorization" });
});

describe("projects", () => {
  test("are created, read, changed, listed and deleted with their stores", async () => {
    const project = await newProject("for tests");
    const read = { method: "GET", path: "/", project };
    expect(await ok(read)).toEqual({
      ...{ projectName: project, description: "for tests", region: REGION, status: "Normal", owner: ACCOUNT },
      ...{
        createTime: expect.stringMatching(/^\d{4}-/),
        lastModifyTime: expect.stringMatching(/^\d{4}-/),
        dataRedundancyType: "LRS",
      },
    });
    await ok({ method: "PUT", path: "/", project, body: { description: "changed" } });
    expect(await ok(read)).toMatchObject({ description: "changed" });
    expect(await ok({ method: "GET", path: "/", query: { projectName: project } })).toMatchObject({
      ...{ count: 1, total: 1, projects: [{ projectName: project }] },
    });
    await ok({ method: "POST", path: "/logstores", project, body: { logstoreName: "functions", ttl: 1 } });
    await ok({ method: "DELETE", path: "/", project });
    expect(await refused(read)).toEqual({ status: 404, code: "ProjectNotExist" });
    await ok({ method: "POST", path: "/", body: { projectName: project, description: "" } });
    expect(await ok({ method: "GET", path: "/logstores", project })).toEqual({ count: 0, total: 0, logstores: [] });
  });

  test("are the same that the program sees", async () => {
    const project = await newProject("seen");
    expect(records.logProjects.get(REGION, project)?.settings).toMatchObject({ projectName: project, description: "seen" });
    records.logProjects.create(REGION, "in-process", { settings: { projectName: "in-process", tags: { team: "data" } } });
    const tags = await ok({ method: "GET", path: "/tags", query: { resourceType: "PROJECT", resourceId: '["in-process"]' } });
    expect(tags.tagResources).toEqual([{ resourceType: "PROJECT", resourceId: "in-process", tagKey: "team", tagValue: "data" }]);
  });

  test.each<[string, unknown, string]>([
    ["a name that is none", { projectName: "A b", description: "" }, "ParameterInvalid"],
    ["no name", { description: "" }, "ParameterInvalid"],
    ["a body that is no JSON", "{", "PostBodyInvalid"],
  ])("are not created with %s", async (_, body, code) => {
    expect(await refused({ method: "POST", path: "/", body })).toEqual({ status: 400, code });
  });

  test("are created once", async () => {
    const projectName = await newProject();
    const again = { method: "POST", path: "/", body: { projectName, description: "" } };
    expect(await refused(again)).toEqual({ status: 400, code: "ProjectAlreadyExist" });
  });

  test("have tags", async () => {
    const project = await newProject();
    const about = { resourceType: "PROJECT", resourceId: [project] };
    const tags = [
      { key: "team", value: "data" },
      { key: "stage", value: "test" },
    ];
    await ok({ method: "POST", path: "/tag", body: { ...about, tags } });
    await ok({ method: "POST", path: "/untag", body: { ...about, tags: ["team"] } });
    const query = { resourceType: "PROJECT", resourceId: JSON.stringify([project]) };
    expect((await ok({ method: "GET", path: "/tags", query })).tagResources).toMatchObject([
      { tagKey: "stage", tagValue: "test" },
    ]);
    const other = { method: "GET", path: "/tags", query: { ...query, resourceType: "LOGSTORE" } };
    expect(await refused(other)).toEqual({ status: 400, code: "ParameterInvalid" });
  });

  test("have a policy", async () => {
    const project = await newProject();
    const path = "/policy";
    expect(await ok({ method: "GET", path, project })).toEqual({});
    const policy = { Version: "1", Statement: [{ Effect: "Deny", Action: ["log:*"], Principal: ["*"], Resource: "*" }] };
    await ok({ method: "POST", path, project, body: policy });
    expect(await ok({ method: "GET", path, project })).toEqual(policy);
    await ok({ method: "DELETE", path, project });
    expect(await ok({ method: "GET", path, project })).toEqual({});
    expect(await refused({ method: "POST", path, project, body: { Version: "2" } })).toEqual({
      status: 400,
      code: "ParameterInvalid",
    });
  });
});

describe("log stores", () => {
  test("are created, read, changed, listed and deleted", async () => {
    const project = await newProject();
    const path = "/logstores/functions";
    const given = {
      logstoreName: "functions",
      ttl: 7,
      shardCount: 4,
      autoSplit: true,
      maxSplitShard: 64,
      appendMeta: true,
      mode: "query",
    };
    await ok({ method: "POST", path: "/logstores", project, body: given });
    const read = { method: "GET", path, project };
    expect(await ok(read)).toMatchObject({
      ...given,
      enable_tracking: false,
      createTime: expect.any(Number),
      lastModifyTime: expect.any(Number),
    });
    await ok({ method: "PUT", path, project, body: { ttl: 30, enable_tracking: true } });
    expect(await ok(read)).toMatchObject({ ...given, ttl: 30, enable_tracking: true });
    expect(await ok({ method: "GET", path: "/logstores", project })).toEqual({ count: 1, total: 1, logstores: ["functions"] });
    expect(records.logStores.get(REGION, `${project}:functions`)?.settings).toMatchObject({
      retentionPeriod: 30,
      maxSplitShardCount: 64,
    });
    await ok({ method: "DELETE", path, project });
    expect(await refused(read)).toEqual({ status: 404, code: "LogStoreNotExist" });
  });

  test("have a metering mode and shards that cover all hashes", async () => {
    const { project, path } = await newStore();
    expect(await ok({ method: "GET", path: `${path}/meteringmode`, project })).toEqual({ meteringMode: "ChargeByFunction" });
    await ok({ method: "PUT", path: `${path}/meteringmode`, project, body: { meteringMode: "ChargeByDataIngest" } });
    expect(await ok({ method: "GET", path: `${path}/meteringmode`, project })).toEqual({ meteringMode: "ChargeByDataIngest" });
    const wrong = { method: "PUT", path: `${path}/meteringmode`, project, body: { meteringMode: "Free" } };
    expect(await refused(wrong)).toEqual({ status: 400, code: "ParameterInvalid" });
    const middle = "80000000000000000000000000000000";
    expect(await ok({ method: "GET", path: `${path}/shards`, project })).toMatchObject([
      { shardID: 0, status: "readwrite", inclusiveBeginKey: "0".repeat(32), exclusiveEndKey: middle },
      { shardID: 1, status: "readwrite", inclusiveBeginKey: middle, exclusiveEndKey: "f".repeat(32) },
    ]);
  });

  test.each<[string, object]>([
    ["a name that is none", { logstoreName: "-" }],
    ["a retention of no day", { ttl: 0 }],
    ["a retention of too many days", { ttl: 3651 }],
    ["no shard", { shardCount: 0 }],
    ["splits without a limit", { autoSplit: true }],
    ["another mode", { mode: "fast" }],
    ["metrics", { telemetryType: "Metrics" }],
    ["a key of its own", { encrypt_conf: { enable: true } }],
  ])("are not created with %s", async (_, changes) => {
    const project = await newProject();
    const body = { logstoreName: "functions", ttl: 7, shardCount: 2, ...changes };
    const create = { method: "POST", path: "/logstores", project, body };
    expect(await refused(create)).toEqual({ status: 400, code: "ParameterInvalid" });
  });

  test("need their project, and are created once", async () => {
    const { project } = await newStore();
    const body = { logstoreName: "functions", ttl: 7 };
    const create = { method: "POST", path: "/logstores", body };
    expect(await refused({ ...create, project })).toEqual({ status: 400, code: "LogStoreAlreadyExist" });
    expect(await refused({ ...create, project: "nobody" })).toEqual({ status: 404, code: "ProjectNotExist" });
    expect(await refused(create)).toEqual({ status: 400, code: "ParameterInvalid" });
  });
});

describe("indexes", () => {
  const line = { token: [",", " "], caseSensitive: false, chn: false };
  const keys = { level: { type: "text", token: [" "], caseSensitive: true, chn: false, doc_value: true } };

  test("are created once, read, replaced and deleted", async () => {
    const { project, path } = await newStore();
    const index = { path: `${path}/index`, project };
    expect(await refused({ ...index, method: "GET" })).toEqual({ status: 404, code: "IndexConfigNotExist" });
    expect(await refused({ ...index, method: "PUT", body: { line } })).toEqual({ status: 404, code: "IndexConfigNotExist" });
    await ok({ ...index, method: "POST", body: { line, log_reduce: false } });
    expect(await ok({ ...index, method: "GET" })).toEqual({ line, log_reduce: false, ttl: 7, index_mode: "v2" });
    expect(await refused({ ...index, method: "POST", body: { line } })).toEqual({ status: 400, code: "IndexAlreadyExist" });
    await ok({ ...index, method: "PUT", body: { keys, max_text_len: 2048 } });
    expect(await ok({ ...index, method: "GET" })).toMatchObject({ keys, max_text_len: 2048 });
    expect(await ok({ ...index, method: "GET" })).not.toHaveProperty("line");
    await ok({ ...index, method: "DELETE" });
    expect(await refused({ ...index, method: "GET" })).toEqual({ status: 404, code: "IndexConfigNotExist" });
    expect(await refused({ ...index, method: "POST", body: { log_reduce: false } })).toEqual({
      status: 400,
      code: "ParameterInvalid",
    });
  });

  test("that a program created are read as well", async () => {
    const { project, path } = await newStore();
    const settings = {
      ...{ project, logstore: "functions", fullText: { caseSensitive: true, token: ", " } },
      fieldSearches: [{ name: "level", type: "text", token: " ", caseSensitive: true, includeChinese: false }],
    };
    records.logIndexes.create(REGION, `${project}:functions`, { settings });
    expect(await ok({ method: "GET", path: `${path}/index`, project })).toMatchObject({
      line: { ...line, caseSensitive: true },
      keys,
    });
  });

  test("of a store that is not there are refused", async () => {
    const project = await newProject();
    const index = { method: "GET", path: "/logstores/nobody/index", project };
    expect(await refused(index)).toEqual({ status: 404, code: "LogStoreNotExist" });
  });
});

test("GetLogs reads a store of one project, named by the host", async () => {
  const entry = (project: string, text: string) => ({
    project,
    logstore: "functions",
    functionName: "f",
    atMs: Date.now(),
    text,
  });
  entries.push(entry("logs-a", "of a"), entry("logs-b", "of b"));
  const seconds = Math.floor(Date.now() / 1000);
  const query = { type: "log", from: String(seconds - 60), to: String(seconds + 60), query: "*" };
  const texts = async (project?: string) =>
    ((await ok({ method: "GET", path: "/logstores/functions", project, query })) as unknown as { message: string }[]).map(
      ({ message }) => message,
    );
  expect(await texts("logs-a")).toEqual(["of a"]);
  expect(await texts()).toEqual(["of a", "of b"]);
});

test("GetLogs needs permission also where there are no logs", async () => {
  const query = { type: "log", from: "1", to: "2", query: "*" };
  const read = (project: string | undefined, resource: string) =>
    refused(
      { method: "GET", path: "/logstores/quiet", project, query },
      { keys: sessionFor(["log:GetLogStoreLogs"], [`acs:log:*:*:${resource}`]) },
    );
  const denied = { status: 401, code: "Unauthorized" };
  expect(await read("logs-c", "project/other/logstore/*")).toEqual(denied);
  expect(await read("logs-c", "project/logs-c/logstore/noisy")).toEqual(denied);
  expect(await read(undefined, "project/logs-c/logstore/quiet")).toEqual(denied);
  expect(calls.at(-1)).toMatchObject({ action: "log:GetLogStoreLogs", allowed: false });
  const allowed = { status: 200, code: undefined };
  expect(await read("logs-c", "project/logs-c/logstore/quiet")).toEqual(allowed);
  expect(await read(undefined, "project/*/logstore/quiet")).toEqual(allowed);
});

test("a session needs permission for the project", async () => {
  const project = await newProject();
  const keys = sessionFor(["log:GetProject"], [`acs:log:*:*:project/${project}`]);
  expect(await send({ method: "GET", path: "/", project }, { keys })).toMatchObject({ status: 200 });
  expect(await refused({ method: "DELETE", path: "/", project }, { keys })).toEqual({ status: 401, code: "Unauthorized" });
  expect(calls.at(-1)).toMatchObject({
    action: "log:DeleteProject",
    resource: `acs:log:${REGION}:${ACCOUNT}:project/${project}`,
    allowed: false,
  });
});

test("other operations are refused", async () => {
  const project = await newProject();
  expect(await refused({ method: "GET", path: "/machinegroups", project })).toEqual({ status: 404, code: "InvalidAPIVersion" });
});

function sessionFor(actions: string[], resources: string[]): Keys {
  const roleName = `role-${++names}`;
  const document = (statement: object) => JSON.stringify({ Version: "1", Statement: [statement] });
  const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["fc.aliyuncs.com"] } };
  const { arn } = ram.createRole({ roleName, assumeRolePolicyDocument: document(trust) });
  ram.createPolicy({ policyName: roleName, policyDocument: document({ Effect: "Allow", Action: actions, Resource: resources }) });
  ram.attachPolicyToRole(roleName, roleName);
  return ram.assumeRole(arn, { service: "fc.aliyuncs.com", sessionName: "test", durationMs: 900_000 });
}

test("a dashboard is created once in a project, replaced and deleted", async () => {
  const project = await newProject();
  const chart = { title: "Lag", type: "linepro", search: { logstore: "functions" }, display: { width: 10 } };
  const body = { dashboardName: "bridge", displayName: "Bridge", attribute: { type: "grid" }, charts: [chart] };
  const path = "/dashboards/bridge";
  await ok({ method: "POST", path: "/dashboards", project, body });
  expect(await refused({ method: "POST", path: "/dashboards", project, body })).toMatchObject({ status: 400 });
  await ok({ method: "PUT", path, project, body: { ...body, displayName: "Other" } });
  expect(await ok({ method: "GET", path, project })).toMatchObject({ displayName: "Other", charts: [chart] });
  await ok({ method: "DELETE", path, project });
  expect(await refused({ method: "GET", path, project })).toEqual({ status: 404, code: "DashboardNotExist" });
  const elsewhere = { method: "POST", path: "/dashboards", project: "not-there", body };
  expect(await refused(elsewhere)).toEqual({ status: 404, code: "ProjectNotExist" });
});
