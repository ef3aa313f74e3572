/** One address for several products, and where the others are. */
import { locationApi } from "../../src/api/location-api";
import { productsApi, rpcApi } from "../../src/api/rpc-api";
import type { ApiHandler } from "../../src/contracts";
import { ACCOUNT, type ApiFixture, REGION, refused, rpcCaller, startApi } from "./api-fixture";

let fixture: ApiFixture;
let handler: ApiHandler;
beforeAll(async () => {
  fixture = await startApi({ handler: (call) => handler(call) });
  const hosts: Record<string, Record<string, string>> = { [REGION]: { ram: "localhost:1", oss: "127.0.0.1:2" } };
  handler = productsApi({
    "2015-06-12": rpcApi(locationApi((region) => hosts[region])),
    "2015-05-01": fixture.ram.api,
    "2015-04-01": fixture.ram.stsApi,
  });
});
afterAll(() => fixture.close());

const location = rpcCaller(() => fixture.olderClient(), "2015-06-12");

test("DescribeEndpoints answers where a service is", async () => {
  expect(await location("DescribeEndpoints", { Id: REGION, ServiceCode: "ram", Type: "openAPI" })).toMatchObject({
    Success: true,
    Endpoints: {
      Endpoint: [
        {
          ...{ Endpoint: "localhost:1", Id: REGION, ServiceCode: "ram", Type: "openAPI" },
          Protocols: { Protocols: ["HTTP", "HTTPS"] },
        },
      ],
    },
  });
});

test("DescribeEndpoints answers no endpoint for a service that is not here", async () => {
  const { Endpoints } = await location("DescribeEndpoints", { Id: REGION, ServiceCode: "ecs" });
  expect(Endpoints).toEqual({ Endpoint: [] });
});

test.each([
  ["another region", { Id: "mars-1", ServiceCode: "ram" }, "InvalidParameter"],
  ["no region", { ServiceCode: "ram" }, "MissingId"],
  ["no service", { Id: REGION }, "MissingServiceCode"],
])("DescribeEndpoints refuses %s", async (_, parameters, code) => {
  expect(await refused(location("DescribeEndpoints", parameters))).toEqual({ statusCode: 400, code });
});

test("the version of a call chooses the product, and an unknown version or action is refused", async () => {
  const version = (text: string) => rpcCaller(() => fixture.client(), text);
  expect(await version("2015-05-01")("ListRoles")).toMatchObject({ Roles: { Role: [] } });
  expect(await refused(version("1999-01-01")("ListRoles"))).toEqual({ statusCode: 400, code: "InvalidVersion" });
  expect(await refused(version("2015-05-01")("toString"))).toEqual({ statusCode: 404, code: "InvalidApi.NotFound" });
});

describe("GetCallerIdentity", () => {
  const identity = (keys = fixture.ram.root) => rpcCaller(() => fixture.olderClient(keys), "2015-04-01")("GetCallerIdentity");

  test("names the account of a root key", async () => {
    expect(await identity()).toMatchObject({
      ...{ IdentityType: "Account", AccountId: ACCOUNT, UserId: ACCOUNT, PrincipalId: ACCOUNT },
      Arn: `acs:ram::${ACCOUNT}:root`,
    });
  });

  test("names the role of a session, which needs no permission for it", async () => {
    const session = fixture.session(["oss:GetObject"], ["*"]);
    const answer = await identity(session);
    const [, roleName = ""] = /assumed-role\/([^/]+)\/test$/.exec(answer.Arn) ?? [];
    const roleId = fixture.ram.getRole(roleName)?.roleId;
    expect(answer).toMatchObject({ IdentityType: "AssumedRoleUser", AccountId: ACCOUNT, RoleId: roleId });
    expect(answer.PrincipalId).toBe(`${roleId}:test`);
  });
});
