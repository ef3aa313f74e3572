/** `outage-heals` stops the receiver. Whatever happens next, the receiver runs again. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { CheckContext } from "../../verify-live/check";
import { outageHeals } from "../../verify-live/checks/aws-bridge";
import { subjectOf } from "./support";

let server: Server;
let calls: string[];
let reserved: number | undefined;
beforeEach(async () => {
  calls = [];
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      if (request.method === "GET")
        response.end(JSON.stringify(reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved }));
      else {
        calls.push(`${request.method} ${body}`);
        response.end(request.method === "PUT" ? body : "");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

/** A bridge whose outage queue cannot be read. */
function context(): CheckContext {
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const access = { cloud: "aws-cn", region: "cn-north-1", endpoint, credentials: { accessKeyId: "a", secretAccessKey: "b" } };
  const store = { put: async () => ({ etag: "e" }) };
  return {
    ...subjectOf("aws", "aws-cn"),
    bridge: {
      outputs: { receiverFunctionName: "receiver" },
      held: () => Promise.reject(new Error("the queue cannot be read")),
    },
    sides: { source: { store, access }, destination: { store, access } },
    keys: { key: (name: string) => name, tags: {}, minSizeBytes: 0 },
    signal: new AbortController().signal,
  } as unknown as CheckContext;
}

test.each([
  { before: undefined, restored: "DELETE " },
  { before: 7, restored: 'PUT {"ReservedConcurrentExecutions":7}' },
])("after a failure the receiver has its former concurrency: $before", async ({ before, restored }) => {
  reserved = before;
  await expect(outageHeals.run(context())).rejects.toThrow("the queue cannot be read");
  expect(calls).toEqual(['PUT {"ReservedConcurrentExecutions":0}', restored]);
});

test("it is made in a stack of the run's own alone, and where the receiver is in AWS", () => {
  expect(outageHeals.safeOn).toBe("own-stack");
  expect(outageHeals.notFor?.(subjectOf("aws", "aws-cn"))).toBeUndefined();
  expect(outageHeals.notFor?.(subjectOf("aws", "alicloud"))).toMatch(/only a receiver in AWS/);
});
