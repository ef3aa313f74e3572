/** Function Compute over its control API, as the vendor's client and its Terraform provider call it. */
import type { ApiCall } from "../../src/contracts";
import { crc64Of } from "../../src/crc64";
import { type ApiFixture, call, refused, startApi } from "../api/api-fixture";
import { ACCOUNT, CUSTOM, DEAD_LETTERS, type FcFixture, FUNCTION_ROLE, REGION, startFixture, zipOf } from "./fc-fixture";

const SOURCE = "exports.handler = async (event) => 'got ' + event;";
const zipFile = (source = SOURCE) => zipOf({ "index.js": source }).toString("base64");
const arnOf = (name: string) => `acs:fc:${REGION}:${ACCOUNT}:functions/${name}`;

let service: FcFixture;
let api: ApiFixture;
beforeAll(async () => {
  service = await startFixture();
  api = await startApi({ service: "fcv3", handler: (seen: ApiCall) => service.fc.api(seen) });
});
beforeEach(() => {
  api.calls.length = 0;
});
afterAll(async () => {
  await api.close();
  await service.stop();
});

const send = (method: string, path: string, body?: unknown, query: Record<string, string> = {}, client = api.olderClient()) =>
  call(client, {
    ...{ action: "Any", version: "2023-03-30", style: "ROA", method, pathname: `/2023-03-30${path}`, query, reqBodyType: "json" },
    ...(body === undefined ? {} : { body }),
  });
const get = async (path: string, query?: Record<string, string>) => (await send("GET", path, undefined, query)).body;

/** Like the Terraform provider, with empty objects for blocks that are not set. */
const inputOf = (functionName: string, changes: object = {}) => ({
  ...{ functionName, runtime: "nodejs20", handler: "index.handler", role: FUNCTION_ROLE, code: { zipFile: zipFile() } },
  ...{ cpu: 0.25, memorySize: 512, diskSize: 512, timeout: 30, instanceConcurrency: 1, internetAccess: true },
  ...{ environmentVariables: { A: "1" }, logConfig: {}, gpuConfig: {}, vpcConfig: {}, ossMountConfig: { mountPoints: [] } },
  ...{ customContainerConfig: { healthCheckConfig: {} }, customRuntimeConfig: { healthCheckConfig: {} } },
  ...{ instanceLifecycleConfig: { initializer: {}, preStop: {} } },
  ...changes,
});
const create = (name: string, changes?: object) => send("POST", "/functions", inputOf(name, changes));

describe("functions", () => {
  test("are created, run, changed, listed and deleted", async () => {
    const { body, statusCode } = await create("first", { description: "runs" });
    expect([statusCode, body]).toEqual([
      200,
      expect.objectContaining({
        ...{ functionName: "first", functionArn: arnOf("first"), functionId: expect.any(String), description: "runs" },
        ...{ codeSize: zipOf({ "index.js": SOURCE }).length, codeChecksum: crc64Of(zipOf({ "index.js": SOURCE })) },
        ...{ state: "Active", lastUpdateStatus: "Successful", environmentVariables: { A: "1" }, role: FUNCTION_ROLE },
        ...{ createdTime: expect.any(String), lastModifiedTime: expect.any(String) },
      }),
    ]);
    expect(await get("/functions/first", { qualifier: "LATEST" })).toEqual({ ...body, RequestId: expect.any(String) });
    expect((await service.call("first", 1)).text).toBe("got 1");
    const code = { zipFile: zipFile(SOURCE.replace("got", "has")) };
    const changed = await send("PUT", "/functions/first", { functionName: "first", code, timeout: 60, description: "" });
    expect(changed.body).toMatchObject({ timeout: 60, description: "", memorySize: 512, environmentVariables: { A: "1" } });
    expect((await service.call("first", 2)).text).toBe("has 2");
    expect((await get("/functions", { prefix: "fir" })).functions).toMatchObject([{ functionName: "first" }]);
    await send("DELETE", "/functions/first");
    expect(await refused(get("/functions/first"))).toEqual({ statusCode: 404, code: "FunctionNotFound" });
  });

  test("of a custom runtime keep its configuration and their log configuration", async () => {
    const logConfig = { project: "logs", logstore: "functions", enableRequestMetrics: true, logBeginRule: "DefaultRegex" };
    const custom = { ...CUSTOM, instanceConcurrency: 20, logConfig };
    await create("custom", { ...custom, customRuntimeConfig: { ...CUSTOM.customRuntimeConfig, healthCheckConfig: {} } });
    expect(await get("/functions/custom")).toMatchObject(custom);
    await send("DELETE", "/functions/custom");
  });

  test.each<[string, object, string]>([
    ["another runtime", { runtime: "python3.10" }, "runtime of function 'other' is 'python3.10'"],
    ["a block that is not served", { nasConfig: { userId: 1 } }, "nasConfig: is not served here"],
    ["a network of its own", { vpcConfig: { vpcId: "vpc-1" } }, "vpcConfig: is not served here"],
    ["code in OSS", { code: { ossBucketName: "b", ossObjectName: "k" } }, "code.ossBucketName: is not served here"],
    ["no code", { code: {} }, "code.zipFile is required"],
    ["code with another checksum", { code: { zipFile: zipFile(), checksum: "1" } }, "code.checksum is 1"],
    ["a text as a number", { memorySize: "512" }, "memorySize:"],
    ["no handler", { handler: undefined }, "handler:"],
    ["another rule for logs", { logConfig: { project: "p", logstore: "s", logBeginRule: "Mine" } }, "logConfig.logBeginRule:"],
  ])("are not created with %s", async (_, changes, message) => {
    await expect(create("other", changes)).rejects.toMatchObject({
      ...{ statusCode: 400, code: "InvalidArgument", message: expect.stringContaining(message) },
    });
  });

  test("are listed in pages", async () => {
    for (const name of ["page-a", "page-b", "page-c"]) await create(name);
    const names = ({ functions }: { functions: { functionName: string }[] }) => functions.map(({ functionName }) => functionName);
    const first = await get("/functions", { prefix: "page-", limit: "2" });
    expect(names(first)).toEqual(["page-a", "page-b"]);
    expect(names(await get("/functions", { prefix: "page-", limit: "2", nextToken: first.nextToken }))).toEqual(["page-c"]);
    expect(await refused(get("/functions", { limit: "0" }))).toEqual({ statusCode: 400, code: "InvalidArgument" });
    for (const name of ["page-a", "page-b", "page-c"]) await send("DELETE", `/functions/${name}`);
  });

  test("are invoked at the same address", async () => {
    await create("called");
    const answer = await call(api.client(), {
      ...{ action: "InvokeFunction", version: "2023-03-30", style: "ROA", pathname: "/2023-03-30/functions/called/invocations" },
      ...{ reqBodyType: "byte", body: Buffer.from("it"), bodyType: "string" },
    });
    expect(answer.body).toBe("got it");
    await send("DELETE", "/functions/called");
  });
});

describe("of one function", () => {
  beforeAll(() => create("owner"));

  test("triggers are created, changed, listed and deleted", async () => {
    const triggerConfig = JSON.stringify({ cronExpression: "@every 1m", enable: false });
    const { body } = await send("POST", "/functions/owner/triggers", {
      ...{ triggerName: "clock", triggerType: "timer", triggerConfig, qualifier: "LATEST", description: "ticks" },
    });
    expect(body).toMatchObject({
      ...{ triggerName: "clock", triggerType: "timer", triggerConfig, qualifier: "LATEST", description: "ticks" },
      ...{ triggerId: expect.any(String), targetArn: `${arnOf("owner")}/LATEST`, createdTime: expect.any(String) },
    });
    expect(await get("/functions/owner/triggers/clock")).toEqual({ ...body, RequestId: expect.any(String) });
    const changes = { triggerConfig: triggerConfig.replace("1m", "2m"), description: "" };
    service.clock.now += 1000;
    const changed = (await send("PUT", "/functions/owner/triggers/clock", changes)).body;
    expect(changed).toMatchObject({ ...changes, triggerId: body.triggerId, createdTime: body.createdTime });
    expect(changed.lastModifiedTime).not.toBe(body.lastModifiedTime);
    expect((await get("/functions/owner/triggers")).triggers).toHaveLength(1);
    expect(await refused(send("DELETE", "/functions/owner"))).toEqual({ statusCode: 409, code: "FunctionNotEmpty" });
    await send("DELETE", "/functions/owner/triggers/clock");
    const gone = get("/functions/owner/triggers/clock");
    expect(await refused(gone)).toEqual({ statusCode: 404, code: "TriggerNotFound" });
  });

  test("an HTTP trigger has its URLs", async () => {
    const triggerConfig = JSON.stringify({ authType: "anonymous", methods: ["POST"], disableURLInternet: false });
    const { body } = await send("POST", "/functions/owner/triggers", { triggerName: "web", triggerType: "http", triggerConfig });
    expect(body.httpTrigger).toEqual({ urlInternet: expect.stringContaining("https://"), urlIntranet: expect.any(String) });
    await send("DELETE", "/functions/owner/triggers/web");
  });

  test("a trigger of another type is refused", async () => {
    const given = { triggerName: "log", triggerType: "log", triggerConfig: "{}" };
    expect(await refused(send("POST", "/functions/owner/triggers", given))).toEqual({ statusCode: 400, code: "InvalidArgument" });
  });

  test("reserved concurrency is put, read and removed", async () => {
    const path = "/functions/owner/concurrency";
    expect(await refused(get(path))).toEqual({ statusCode: 404, code: "OnDemandConfigNotFound" });
    await send("PUT", path, { functionName: "owner", reservedConcurrency: 3 });
    expect(await get(path)).toMatchObject({ functionArn: arnOf("owner"), reservedConcurrency: 3 });
    expect(service.fc.getConcurrency(REGION, "owner")).toBe(3);
    expect(await refused(send("PUT", path, { reservedConcurrency: 1000 }))).toEqual({ statusCode: 400, code: "InvalidArgument" });
    await send("DELETE", path);
    expect(await refused(get(path))).toMatchObject({ statusCode: 404 });
  });

  test("the asynchronous configuration is replaced as a whole", async () => {
    const path = "/functions/owner/async-invoke-config";
    expect(await refused(get(path))).toEqual({ statusCode: 404, code: "AsyncConfigNotExists" });
    const destinationConfig = { onFailure: { destination: DEAD_LETTERS } };
    await send("PUT", path, { functionName: "owner", maxAsyncRetryAttempts: 8, destinationConfig, asyncTask: false });
    expect(await get(path)).toMatchObject({
      maxAsyncRetryAttempts: 8,
      destinationConfig,
      asyncTask: false,
      functionArn: arnOf("owner"),
    });
    await send("PUT", path, { maxAsyncEventAgeInSeconds: 60 });
    expect(service.fc.getAsyncInvokeConfig(REGION, "owner")).toEqual({ maxAsyncEventAgeInSeconds: 60 });
    expect(await refused(send("PUT", path, { asyncTask: true }))).toEqual({ statusCode: 400, code: "InvalidArgument" });
    await send("DELETE", path);
    expect(await refused(get(path))).toMatchObject({ statusCode: 404 });
  });

  test("tags are added, listed and removed by the function's ARN", async () => {
    const about = { ResourceType: "function", ResourceId: [arnOf("owner")] };
    const Tag = [
      { Key: "team", Value: "data" },
      { Key: "stage", Value: "" },
    ];
    await send("POST", "/tags-v2", { ...about, Tag });
    expect((await get("/functions/owner")).tags).toEqual([
      { tagKey: "team", tagValue: "data" },
      { tagKey: "stage", tagValue: "" },
    ]);
    const query = { ResourceType: "function", ResourceId: JSON.stringify(about.ResourceId) };
    await send("DELETE", "/tags-v2", undefined, { ...query, TagKey: JSON.stringify(["team"]) });
    expect((await get("/tags-v2", query)).TagResources).toMatchObject([{ TagKey: "stage", ResourceId: arnOf("owner") }]);
    const foreign = { ...about, ResourceId: ["acs:oss:*:*:bucket"], Tag };
    expect(await refused(send("POST", "/tags-v2", foreign))).toEqual({ statusCode: 400, code: "InvalidArgument" });
  });

  test("everything of a missing function is refused", async () => {
    for (const part of ["", "/triggers", "/triggers/t", "/concurrency", "/async-invoke-config"])
      expect(await refused(get(`/functions/nobody${part}`))).toEqual({ statusCode: 404, code: "FunctionNotFound" });
  });

  test("a session needs permission for the function, and for passing its role", async () => {
    const may = (actions: string[]) => api.client(api.session(actions, [arnOf("owner"), FUNCTION_ROLE]));
    const read = send("GET", "/functions/owner", undefined, {}, may(["fc:GetFunction"]));
    expect((await read).body.functionName).toBe("owner");
    const change = (actions: string[]) => send("PUT", "/functions/owner", { role: FUNCTION_ROLE }, {}, may(actions));
    expect(await refused(change(["fc:UpdateFunction"]))).toEqual({ statusCode: 403, code: "NoPermission" });
    await change(["fc:UpdateFunction", "ram:PassRole"]);
    expect(api.calls.map(({ action, resource }) => [action, resource])).toContainEqual(["ram:PassRole", FUNCTION_ROLE]);
  });
});

test.each([
  ["a path that is not served", "GET", "/layers"],
  ["a path that is too long", "GET", "/functions/owner/triggers/a/b"],
  ["a method that is not served", "PATCH", "/functions/owner"],
])("%s is refused", async (_, method, path) => {
  expect(await refused(send(method, path, undefined, {}, api.client()))).toEqual({ statusCode: 400, code: "PathNotSupported" });
});
