/** The calls that hold back the events of a sender in AWS. */
import { openEventWays } from "../../../operator/clouds/aws-ways";
import type { SourceWays } from "../../../operator/clouds/side";
import { type AwsServer, operationOf, reply, startAws } from "./aws-server";

let aws: AwsServer;
let asked: string[];
let mappings: { UUID: string; EventSourceArn: string; State: string }[];
let tick: string;
/** The variables of the sender. */
let variables: Record<string, string>;
let lastUpdate: string;

beforeEach(async () => {
  [asked, tick, lastUpdate] = [[], "ENABLED", "Successful"];
  variables = { CROSSBORDERBRIDGE_CONFIG: "{}", OTHER: "kept" };
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
    if (method === "PUT") {
      variables = (body.Environment as { Variables: Record<string, string> }).Variables;
      lastUpdate = "InProgress";
    }
    reply(response, {
      FunctionName: "crossborderbridge-dev-sender",
      LastUpdateStatus: lastUpdate,
      Environment: { Variables: variables },
    });
  });
});
afterEach(() => aws.server.close());

const ways = (changes: Partial<SourceWays> = {}) =>
  openEventWays(aws.access, {
    ...{ functionNames: ["crossborderbridge-dev-sender"], tickRule: "crossborderbridge-dev-tick" },
    isDirect: false,
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

test("with buffer: none a variable lets the sender keep the keys, and its other variables stay", async () => {
  const direct = ways({ isDirect: true });
  const last = async () => (await direct.read()).at(-1);
  await direct.set(false);
  expect(variables).toEqual({ CROSSBORDERBRIDGE_CONFIG: "{}", OTHER: "kept", BRIDGE_PAUSED: "1" });
  // Until the update has ended, the function runs as before.
  expect(await last()).toEqual({ name: "the function crossborderbridge-dev-sender", isOpen: true });
  lastUpdate = "Successful";
  expect((await last())?.isOpen).toBe(false);
  await direct.set(true);
  expect(variables).toEqual({ CROSSBORDERBRIDGE_CONFIG: "{}", OTHER: "kept" });
  expect((await last())?.isOpen).toBe(false);
  lastUpdate = "Successful";
  expect((await last())?.isOpen).toBe(true);
});

test("a function whose settings cannot be read is not updated: the update would remove them", async () => {
  variables = {};
  await expect(ways({ isDirect: true }).set(false)).rejects.toThrow(/has no variable CROSSBORDERBRIDGE_CONFIG/);
  expect(variables).toEqual({});
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
