/** What the provider's client of the control APIs does with refusals. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiCall, ApiError, createRam, serveApi } from "local-alicloud";
import { ensureCertificate } from "../../../../local/aws/certificate";
import { ignoreMissing, unlessMissing } from "../../../../local/provider/alicloud/api-failure";
import { ControlApi } from "../../../../local/provider/alicloud/control-api";
import { ACCOUNT, REGION } from "./alicloud-fixture";

let api: ControlApi;
let stranger: ControlApi;
let stop: () => Promise<void>;
const seen: ApiCall[] = [];
let refusals: ApiError[] = [];

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "control-api-"));
  const tls = await ensureCertificate(folder);
  const ram = createRam({ accountId: ACCOUNT });
  const handler = async (call: ApiCall) => {
    seen.push(call);
    const refusal = refusals.shift();
    if (refusal !== undefined) throw refusal;
    return { status: 200, body: { done: true } };
  };
  const served = await serveApi({ service: "ram", region: REGION, handler, ram, tls });
  const account = { endpoints: { "ram.aliyuncs.com": served.origin }, caPath: tls.certPath };
  api = new ControlApi({ ...account, credentials: ram.root }, REGION);
  stranger = new ControlApi({ ...account, credentials: { accessKeyId: "LTAInobody", accessKeySecret: "none" } }, REGION);
  stop = async () => {
    await served.close();
    await rm(folder, { recursive: true });
  };
});
beforeEach(() => {
  seen.length = 0;
  refusals = [];
});
afterAll(() => stop());

const getRole = (client: ControlApi) => client.rpc("ram", "GetRole", { RoleName: "r" });

test("parameters are a form: a list is numbered, an object has fields, and what is undefined is left out", async () => {
  expect(
    await api.rpc("ram", "CreateRole", { RoleName: "r", Tag: [{ Key: "a", Value: "1" }], Description: undefined }),
  ).toMatchObject({
    done: true,
  });
  expect(Object.fromEntries(new URLSearchParams(seen[0]?.body.toString()))).toEqual({
    ...{ RoleName: "r", "Tag.1.Key": "a", "Tag.1.Value": "1" },
  });
});

test("a throttled call is repeated", async () => {
  refusals = [new ApiError(429, "Throttling.User", "Request was denied due to user flow control.")];
  expect(await getRole(api)).toMatchObject({ done: true });
  expect(seen).toHaveLength(2);
});

test("a refusal has its status and code, and names the call", async () => {
  refusals = [new ApiError(409, "EntityAlreadyExists.Role", "The role r already exists.")];
  await expect(getRole(api)).rejects.toMatchObject({
    ...{ status: 409, code: "EntityAlreadyExists.Role" },
    message: "GetRole of ram: EntityAlreadyExists.Role: The role r already exists.",
  });
});

test("a missing resource is none, and its deletion succeeds", async () => {
  const missing = new ApiError(404, "EntityNotExist.Role", "The role r does not exist.");
  refusals = [missing, missing];
  expect(await unlessMissing(() => getRole(api))).toBeUndefined();
  await ignoreMissing(() => getRole(api));
});

test("a key or an action that the cloud does not know is an error, although its status is 404", async () => {
  await expect(unlessMissing(() => getRole(stranger))).rejects.toMatchObject({ code: "InvalidAccessKeyId.NotFound" });
  refusals = [new ApiError(404, "InvalidApi.NotFound", "Specified api is not found.")];
  await expect(ignoreMissing(() => getRole(api))).rejects.toMatchObject({ code: "InvalidApi.NotFound" });
});
