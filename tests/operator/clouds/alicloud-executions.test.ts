import { readExecutions } from "../../../operator/clouds/alicloud";
import type { AlicloudAccess } from "../../../operator/operated-bridge";
import { startHttps, type TestServer } from "../../runtime/support/https-server";

let server: TestServer;
let hosts: string[];

/** A CloudFlow that answers with these pages, one after the other. */
async function open(...pages: object[]): Promise<AlicloudAccess> {
  hosts = [];
  server = await startHttps((_request, response) => {
    const page = pages[server.seen.length - 1] ?? { Executions: [] };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(page));
  });
  return {
    cloud: "alicloud",
    region: "cn-shanghai",
    ca: server.ca,
    credentials: async () => ({ accessKeyId: "id", accessKeySecret: "secret" }),
    originOf: (host) => {
      hosts.push(host);
      return server.origin;
    },
  };
}
afterEach(() => server.close());

const execution = (key: string) => ({
  Name: "k1",
  Status: "Running",
  StartedTime: "2026-03-01T00:00:07Z",
  Input: JSON.stringify({ version: 1, key, attempt: 2 }),
});

test("lists all running executions with the keys of their inputs", async () => {
  const access = await open(
    { Executions: [execution("a"), { ...execution("b"), Input: "no JSON" }], NextToken: "k2" },
    { Executions: [execution("c")] },
  );
  const { executions, complete } = await readExecutions(access, "flow", { limit: 100 });
  const startedMs = Date.parse("2026-03-01T00:00:07Z");
  expect(executions).toEqual([
    { key: "a", startedMs },
    { key: "c", startedMs },
  ]);
  expect(complete).toBe(true);
  expect(hosts).toEqual(["cn-shanghai.fnf.aliyuncs.com"]);
  const queries = server.seen.map(({ url }) => Object.fromEntries(new URL(url, "https://fnf").searchParams));
  expect(queries).toEqual([
    expect.objectContaining({ FlowName: "flow", Status: "Running", Limit: "100" }),
    expect.objectContaining({ FlowName: "flow", Status: "Running", NextToken: "k2" }),
  ]);
  expect(server.seen[0]?.headers["x-acs-action"]).toBe("ListExecutions");
});

test("stops at the limit", async () => {
  const access = await open({ Executions: [execution("a"), execution("b")], NextToken: "k2" });
  const { executions, complete } = await readExecutions(access, "flow", { limit: 1 });
  expect(executions).toHaveLength(1);
  expect(complete).toBe(false);
});
