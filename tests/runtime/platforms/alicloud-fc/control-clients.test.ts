import { inspect } from "node:util";
import { controlError } from "../../../../runtime/platforms/alicloud-fc/errors";
import { createFlowStarter } from "../../../../runtime/platforms/alicloud-fc/flow-starter";
import { createCopyLauncher, readParameters } from "../../../../runtime/platforms/alicloud-fc/services";
import type { CopyJob } from "../../../../runtime/protocol/ports";
import type { PushState } from "../../../../runtime/protocol/push";
import { fakeApi } from "./support";

const refused = (code: string, status: number) => controlError("op", "it failed", { code, status });

describe("copy launcher", () => {
  const job: CopyJob = {
    execution: "x1",
    key: "copies/a b",
    sourceKey: "a b",
    url: "https://source.example.com/a?sig",
    snapshot: { etag: "e", sizeBytes: 1, lastModified: "2026-03-01T00:00:00Z", headers: {}, metadata: {}, tags: {} },
  };

  test("invokes the copier asynchronously with the copy job as event", async () => {
    const api = fakeApi({ status: 202, body: undefined });
    await createCopyLauncher(api, "bridge-copier").start(job);
    expect(api.calls).toMatchObject([
      {
        action: "InvokeFunction",
        version: "2023-03-30",
        roa: {
          pathname: "/2023-03-30/functions/bridge-copier/invocations",
          headers: { "x-fc-invocation-type": "Async" },
        },
      },
    ]);
    expect(JSON.parse(String(api.calls[0]?.roa?.body))).toEqual(job);
  });

  test("any status but 202 is a failure", async () => {
    await expect(createCopyLauncher(fakeApi({ status: 200, body: {} }), "copier").start(job)).rejects.toMatchObject({
      kind: "Unavailable",
      message: "starting the copier copier was answered 200, not 202",
    });
    await expect(createCopyLauncher(fakeApi(refused("x", 403)), "copier").start(job)).rejects.toMatchObject({
      kind: "PermissionDenied",
    });
  });
});

describe("secret parameters", () => {
  test("are read decrypted, by name, each time", async () => {
    const api = fakeApi({ status: 200, body: { RequestId: "1", Parameter: { Name: "signing", Value: "one" } } });
    const read = readParameters(api, "cn-shanghai")("signing");
    expect([await read(), await read()]).toEqual(["one", "one"]);
    expect(api.calls).toHaveLength(2);
    expect(api.calls[0]).toMatchObject({
      action: "GetSecretParameter",
      version: "2019-06-01",
      query: { RegionId: "cn-shanghai", Name: "signing", WithDecryption: "true" },
    });
  });

  test.each([
    ["an empty value", { Parameter: { Value: "" } }],
    ["no value, as without decryption", { Parameter: { Name: "signing" } }],
    ["no JSON in the answer", undefined],
  ])("%s: the error names the parameter", async (_name, body) => {
    await expect(readParameters(fakeApi({ status: 200, body }), "cn-shanghai")("signing")()).rejects.toMatchObject({
      kind: "NotFound",
      message: "the OOS secret parameter signing cannot be read: it has no value",
    });
  });

  test("an error does not show a value of another type", async () => {
    const api = fakeApi({ status: 200, body: { Parameter: { Value: ["very-secret"] } } });
    const error = await readParameters(api, "cn-shanghai")("signing")().catch((caught: unknown) => caught);
    expect(inspect(error, { depth: 9 })).not.toContain("very-secret");
  });
});

describe("flow starter", () => {
  const input: PushState = {
    version: 1,
    next: "inspect",
    key: "a",
    execution: "k1",
    eventId: "R1",
    firstSeenMs: 1,
    attempt: 0,
    rounds: 0,
    bytesMoved: 0,
  };
  const execution = (Input: unknown, Status = "Running") => ({
    status: 200,
    body: { RequestId: "1", Name: "k1", FlowName: "flow", Status, ...(Input === undefined ? {} : { Input }) },
  });

  test("starts an execution by its name", async () => {
    const api = fakeApi(execution(JSON.stringify(input), "Starting"));
    expect(await createFlowStarter(api, "flow").start("k1", input)).toBe("started");
    expect(api.calls).toMatchObject([
      {
        action: "StartExecution",
        version: "2019-03-15",
        form: { FlowName: "flow", ExecutionName: "k1", Input: JSON.stringify(input) },
      },
    ]);
  });

  test.each([
    ["the same input, written in another order", JSON.stringify(Object.fromEntries(Object.entries(input).reverse())), "started"],
    ["another event's input", JSON.stringify({ ...input, eventId: "R0" }), "running"],
    ["no input in the answer", undefined, "running"],
    ["an input that is no JSON", "{", "running"],
  ] as const)("%s: %3$s", async (_name, found, expected) => {
    expect(await createFlowStarter(fakeApi(execution(found)), "flow").start("k1", input)).toBe(expected);
  });

  test("an execution that has ended is finished; any other refusal is an error", async () => {
    const finished = createFlowStarter(fakeApi(refused("ExecutionAlreadyExists", 400)), "flow");
    expect(await finished.start("k1", input)).toBe("finished");
    const missing = createFlowStarter(fakeApi(refused("FlowNotExists", 404)), "flow");
    await expect(missing.start("k1", input)).rejects.toMatchObject({ kind: "NotFound" });
    const strange = createFlowStarter(fakeApi({ status: 200, body: undefined }), "flow");
    await expect(strange.start("k1", input)).rejects.toMatchObject({ kind: "Unexpected" });
  });

  test("describes an execution", async () => {
    const api = fakeApi(execution("{}", "Succeeded"));
    expect(await createFlowStarter(api, "flow").describe("k1")).toEqual({ status: "Succeeded", input: "{}" });
    expect(api.calls).toMatchObject([{ action: "DescribeExecution", query: { FlowName: "flow", ExecutionName: "k1" } }]);
  });

  test("a forgotten execution is undefined; a missing workflow is an error", async () => {
    expect(await createFlowStarter(fakeApi(refused("ExecutionNotExists", 404)), "flow").describe("k1")).toBeUndefined();
    await expect(createFlowStarter(fakeApi(refused("FlowNotExists", 404)), "flow").describe("k1")).rejects.toMatchObject({
      kind: "NotFound",
    });
  });
});

test.each([
  ["ResourceThrottled", 429, "RateLimited"],
  ["Throttling.User", 400, "RateLimited"],
  ["ConcurrencyLimitExceeded", 429, "RateLimited"],
  ["Other", 429, "RateLimited"],
  ["NoPermission", 403, "PermissionDenied"],
  ["InvalidAccessKeyId.NotFound", 404, "PermissionDenied"],
  ["InvalidSecurityToken.Expired", 400, "PermissionDenied"],
  ["SignatureDoesNotMatch", 400, "PermissionDenied"],
  ["AccessDenied", 403, "PermissionDenied"],
  ["Other", 403, "PermissionDenied"],
  ["InvalidTimeStamp.Expired", 400, "Unavailable"],
  ["SignatureNonceUsed", 400, "Unavailable"],
  ["TimeExpired", 408, "Unavailable"],
  ["ExecutionAlreadyExists", 400, "PreconditionFailed"],
  ["FlowNotExists", 404, "NotFound"],
  ["QueueNotExist", 404, "NotFound"],
  ["FunctionNotFound", 404, "NotFound"],
  ["EntityNotExists.Parameter", 404, "NotFound"],
  ["Other", 404, "NotFound"],
  ["EntityTooLarge", 400, "Invalid"],
  ["MissingRequiredParams", 400, "Invalid"],
  ["InvalidArgument", 400, "Invalid"],
  ["InternalError", 500, "Unavailable"],
  [undefined, 503, "Unavailable"],
  [undefined, undefined, "Unavailable"],
  ["Other", 418, "Unexpected"],
] as const)("%s (%p) is %s", (code, status, kind) => {
  expect(controlError("op", "the thing", { code, status })).toMatchObject({ name: "BridgeError", kind, op: "op", code });
});

test("an error names the status and the request id", () => {
  expect(controlError("op", "the thing", { code: "NoPermission", status: 403, requestId: "R1" }).message).toBe(
    "the thing: NoPermission (403, request R1)",
  );
  expect(controlError("op", "the thing", { status: 502 }).message).toBe("the thing: refused (502)");
  const cause = new Error("socket hang up");
  expect(controlError("op", "the thing", {}, cause)).toMatchObject({ message: "the thing: no answer", cause });
});
