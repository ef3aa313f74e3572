/** The calls that hold back the events of a sender in AWS. */
import { openEventWays } from "../../../operator/clouds/aws-ways";
import type { SenderWays } from "../../../operator/clouds/side";
import { type AwsServer, operationOf, reply, startAws } from "./aws-server";

let aws: AwsServer;
let asked: string[];
let mappings: { UUID: string; EventSourceArn: string; State: string }[];
let tick: string;
let reserved: number | undefined;

beforeEach(async () => {
  [asked, tick, reserved] = [[], "ENABLED", undefined];
  mappings = [{ UUID: "u1", EventSourceArn: "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-dev-queue", State: "Enabled" }];
  aws = await startAws((request, response) => {
    const { method = "", url = "" } = request;
    const operation = operationOf(request);
    const body = request.body.length === 0 ? {} : (JSON.parse(request.body.toString()) as Record<string, unknown>);
    if (operation !== "") {
      asked.push(`${operation} ${String(body.Name)}`);
      if (operation === "DescribeRule") return reply(response, { Name: body.Name, State: tick });
      tick = operation === "EnableRule" ? "ENABLED" : "DISABLED";
      return reply(response, {});
    }
    asked.push(`${method} ${url.replace(/^\/[\d-]+/, "")} ${JSON.stringify(body)}`);
    if (url.includes("/event-source-mappings") && method === "GET") return reply(response, { EventSourceMappings: mappings });
    if (url.includes("/event-source-mappings")) {
      mappings = mappings.map((one) => ({ ...one, State: body.Enabled === true ? "Enabling" : "Disabling" }));
      return reply(response, mappings[0]);
    }
    if (method === "GET") return reply(response, reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved });
    reserved = method === "PUT" ? Number(body.ReservedConcurrentExecutions) : undefined;
    return method === "PUT" ? reply(response, body) : response.writeHead(204).end();
  });
});
afterEach(() => aws.server.close());

const ways = (changes: Partial<SenderWays> = {}) =>
  openEventWays(aws.access, {
    ...{ functionName: "crossborderbridge-dev-sender", tickRule: "crossborderbridge-dev-tick" },
    ...{ isDirect: false, reserved: undefined },
    ...changes,
  });

test("a pause stops the tick first, then the queue; a resume goes the other way round", async () => {
  await ways().set(false);
  expect(asked.map((one) => one.split(" ").slice(0, 2).join(" "))).toEqual([
    "DisableRule crossborderbridge-dev-tick",
    expect.stringMatching(/^GET \/event-source-mappings/),
    expect.stringMatching(/^PUT \/event-source-mappings\/u1/),
  ]);
  expect(asked[2]).toContain('{"Enabled":false}');
  expect(await ways().read()).toEqual([
    { name: "the queue crossborderbridge-dev-queue", isOpen: false },
    { name: "the tick crossborderbridge-dev-tick", isOpen: false },
  ]);
  asked.length = 0;
  await ways().set(true);
  expect(asked.at(-1)).toBe("EnableRule crossborderbridge-dev-tick");
  expect((await ways().read()).every(({ isOpen }) => isOpen)).toBe(true);
});

test.each([
  ["removes the reservation", undefined, undefined],
  ["restores the reservation of the settings", 21, 21],
])("with buffer: none a pause lets no sender run, and a resume %s", async (_what, own, after) => {
  const direct = ways({ isDirect: true, reserved: own });
  await direct.set(false);
  expect(reserved).toBe(0);
  expect((await direct.read()).at(-1)).toEqual({ name: "the function crossborderbridge-dev-sender", isOpen: false });
  await direct.set(true);
  expect(reserved).toBe(after);
  expect((await direct.read()).at(-1)?.isOpen).toBe(true);
});

test("a sender without a mapping is an error, and not a pause", async () => {
  mappings = [];
  await expect(ways().set(false)).rejects.toThrow(/has no mapping of a queue: run pulumi up/);
});

test("a refusal names what was to be changed", async () => {
  await aws.server.close();
  aws = await startAws((_request, response) => reply(response, { __type: "AccessDeniedException" }, 403));
  await expect(ways().set(false)).rejects.toMatchObject({
    kind: "PermissionDenied",
    message: expect.stringMatching(/^the ways of events to crossborderbridge-dev-sender cannot be read or changed: AccessDenied/),
  });
});
