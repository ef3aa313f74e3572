import { type CallRecord, createRam, type LogEntry, serveLogs } from "local-alicloud";
import { logProjectName } from "../../../components/alicloud/names";
import { queryOf, readFunctionLog, type SlsOptions, signLogRequest } from "../../../operator/clouds/alicloud-logs";
import { ACTIVITY, WAITING } from "../../../operator/clouds/side";
import { logProjectOf } from "../../../operator/open-bridge";
import { createOssDispatcher } from "../../../runtime/stores/oss/client";
import { localServices } from "../../runtime/platforms/alicloud-fc/support";
import { type SeenRequest, startHttps, type TestServer } from "../../runtime/support/https-server";

const NOW = Date.parse("2026-03-01T00:10:00Z");
let server: TestServer;
let options: SlsOptions;
let asked: SeenRequest[];
let hosts: string[];

const written = (level: string, message: string, fields: Record<string, unknown> = {}, time = "2026-03-01T00:00:07.000Z") =>
  JSON.stringify({ level, time, message, ...fields });

/** A Simple Log Service that holds these entries, the newest first. */
async function open(entries: Record<string, string>[], { status = 200, progress = "Complete" } = {}): Promise<void> {
  asked = [];
  hosts = [];
  server = await startHttps((request, response) => {
    asked.push(request);
    const { searchParams } = new URL(request.url, "https://sls");
    const [offset, line] = [Number(searchParams.get("offset")), Number(searchParams.get("line"))];
    const body = status === 200 ? entries.slice(offset, offset + line) : { errorCode: "Unauthorized", errorMessage: "secret" };
    response.writeHead(status, { "x-log-progress": progress, "x-log-requestid": "ABC" }).end(JSON.stringify(body));
  });
  options = {
    ...{ region: "cn-shanghai", project: "bridge-reports-source-1", functionName: "sender", now: () => NOW },
    originOf: (host) => {
      hosts.push(host);
      return server.origin;
    },
    credentials: async () => ({ accessKeyId: "id", accessKeySecret: "secret" }),
    dispatcher: createOssDispatcher({ ca: server.ca }),
  };
}
const close = async () => {
  await options.dispatcher.close();
  await server.close();
};

// The values are those of the vendor's own client for Go.
test("signs as the vendor's own client does", () => {
  const headers = signLogRequest(
    { path: "/logstores", parameters: [], date: "Mon, 3 Jan 2010 08:33:47 GMT" },
    { accessKeyId: "mockAccessKeyID", accessKeySecret: "mockAccessKeySecret" },
  );
  expect(headers).toEqual({
    ...{ "x-log-apiversion": "0.6.0", "x-log-signaturemethod": "hmac-sha1", "x-log-bodyrawsize": "0" },
    date: "Mon, 3 Jan 2010 08:33:47 GMT",
    authorization: "LOG mockAccessKeyID:Rwm6cTKzoti4HWoe+GKcb6Kv07E=",
  });
});

test("reads all pages of the function's lines, oldest first", async () => {
  const entry = (index: number) => ({
    __time__: "1772323207",
    functionName: index === 3 ? "copier" : "sender",
    message: written("info", "put back", { key: `k${index}` }),
  });
  await open([...Array(150).keys()].map(entry));
  const { lines, complete } = await readFunctionLog(options, { sinceMs: NOW - 600_000, topic: WAITING, limit: 1_000 });
  await close();
  expect(complete).toBe(true);
  expect(lines).toHaveLength(149);
  expect(lines.at(-1)?.fields.key).toBe("k0");
  expect(asked).toHaveLength(2);
  const { searchParams, pathname } = new URL(asked[0]?.url ?? "", "https://sls");
  expect(pathname).toBe("/logstores/functions");
  expect(Object.fromEntries(searchParams)).toEqual({
    ...{ type: "log", from: "1772323200", to: "1772323801", line: "100", offset: "0", reverse: "true" },
    query: '"put back" or "held" or "parked" or "error"',
  });
  expect(hosts).toEqual(Array(2).fill("bridge-reports-source-1.cn-shanghai.log.aliyuncs.com"));
  // Each request is signed on its own.
  expect(asked[0]?.headers.authorization).not.toBe(asked[1]?.headers.authorization);
});

test("stops at the limit; an answer that is not complete, and a longer log, are not all lines", async () => {
  await open([...Array(300).keys()].map((index) => ({ message: written("info", "held", { key: `k${index}` }) })));
  expect(await readFunctionLog(options, { sinceMs: 0, topic: WAITING, limit: 100 })).toMatchObject({
    complete: false,
    lines: { length: 100 },
  });
  await close();
  await open([{ message: written("info", "notice", { key: "k" }) }], { progress: "Incomplete" });
  expect(await readFunctionLog(options, { sinceMs: 0, topic: WAITING, limit: 100 })).toEqual({ complete: false, lines: [] });
  await close();
});

test("the local log service, which checks signatures and permissions, answers what a function wrote", async () => {
  const { tls, ca, remove } = await localServices();
  const ram = createRam({ accountId: "3333333333333333" });
  const entry = (functionName: string, text: string, atMs = Date.now()): LogEntry => ({
    ...{ project: "bridge-reports-source-1", logstore: "functions", functionName, atMs, text },
  });
  const entries = [
    entry("sender", written("info", "put back", { key: "old" }), Date.now() - 3_600_000),
    entry("sender", written("info", "put back", { key: "a" }), Date.now() - 2_000),
    entry("sender", written("info", "notice", { key: "b" })),
    entry("copier", written("error", "no", {})),
    { ...entry("sender", written("info", "held", { key: "c" })), logstore: "other" },
    entry("sender", written("info", "held", { key: "d" })),
  ];
  const calls: CallRecord[] = [];
  const served = await serveLogs({
    ...{ accountId: "3333333333333333", region: "cn-shanghai", ram, tls, fc: { logEntries: () => entries } },
    onCall: (call) => void calls.push(call),
  });
  const own: SlsOptions = {
    ...{ region: "cn-shanghai", project: "bridge-reports-source-1", functionName: "sender", now: Date.now },
    originOf: () => served.origin,
    credentials: async () => ram.root,
    dispatcher: createOssDispatcher({ ca }),
  };
  const read = { sinceMs: Date.now() - 1_200_000, limit: 100, topic: WAITING };
  try {
    const { lines, complete } = await readFunctionLog(own, read);
    expect(lines.map(({ message, fields }) => [message, fields.key])).toEqual([
      ["put back", "a"],
      ["held", "d"],
    ]);
    expect(complete).toBe(true);
    expect(calls.map(({ action, resource }) => [action, resource])).toEqual([
      ["log:GetLogStoreLogs", "acs:log:cn-shanghai:3333333333333333:project/bridge-reports-source-1/logstore/functions"],
    ]);
    const wrong = { ...own, credentials: async () => ({ ...ram.root, accessKeySecret: "wrong" }) };
    await expect(readFunctionLog(wrong, read)).rejects.toMatchObject({ kind: "PermissionDenied", code: "SignatureNotMatch" });
    const late = { ...own, now: () => Date.now() - 1_000_000 };
    await expect(readFunctionLog(late, read)).rejects.toMatchObject({ code: "RequestTimeExpired" });
  } finally {
    await own.dispatcher.close();
    await served.close();
    await remove();
  }
});

test("a log that cannot be read names the store and the project", async () => {
  await open([], { status: 401 });
  await expect(readFunctionLog(options, { sinceMs: 0, topic: WAITING, limit: 1 })).rejects.toMatchObject({
    kind: "PermissionDenied",
    message: "the log store functions of the project bridge-reports-source-1 cannot be read: Unauthorized (401, request ABC)",
  });
  await close();
});

test("finds the project as the components name it", () => {
  const url = "https://3333333333333333.mns.cn-shanghai.aliyuncs.com/queues/crossborderbridge-reports-dead-letters";
  expect(logProjectOf("reports", url)).toBe(logProjectName("reports", "source", "3333333333333333"));
  expect(logProjectOf("reports", url, "destination")).toBe(logProjectName("reports", "destination", "3333333333333333"));
  expect(logProjectOf("reports", undefined)).toBeUndefined();
  expect(logProjectOf("reports", "https://sqs.us-east-1.amazonaws.com/111111111111/letters")).toBeUndefined();
});

test("the lines about work, and metrics", async () => {
  const line = (message: string, fields: Record<string, unknown>) => ({
    functionName: "sender",
    message: written("info", message, fields),
  });
  await open([line("metrics", { metrics: { LagMs: 5 } }), line("copy begins", { key: "a" }), line("put back", { key: "b" })]);
  const { lines } = await readFunctionLog(options, { sinceMs: 0, limit: 9, topic: ACTIVITY });
  await close();
  expect(lines.map(({ message }) => message)).toEqual(["copy begins", "metrics"]);
  expect(lines[1]?.fields.metrics).toEqual({ LagMs: 5 });
  expect(queryOf(ACTIVITY)).toBe('"notice" or "step done" or "copy begins" or "copy ends" or "metrics"');
});
