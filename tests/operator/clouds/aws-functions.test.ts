import type { ServerResponse } from "node:http";
import { createLambdaInvoker, type LambdaInvoker } from "../../../operator/clouds/aws";
import type { SeenRequest } from "../../runtime/support/https-server";
import { type AwsServer, reply, startAws } from "./aws-server";

let aws: AwsServer;
let functions: LambdaInvoker;
async function open(answer: (request: SeenRequest, response: ServerResponse) => void): Promise<void> {
  aws = await startAws(answer);
  functions = createLambdaInvoker(aws.access);
}
afterEach(async () => {
  functions.close();
  await aws.server.close();
});

test("returns the answer of a function", async () => {
  await open((_, response) => reply(response, { cleaned: 3 }));
  expect(await functions.invoke("prober", { action: "clean", names: ["ü"] })).toEqual({ cleaned: 3 });
  expect(aws.server.seen).toMatchObject([{ method: "POST", url: "/2015-03-31/functions/prober/invocations" }]);
  expect(JSON.parse(aws.server.seen[0]?.body.toString() ?? "")).toEqual({ action: "clean", names: ["ü"] });
});

test("reports a function that failed, with its reason", async () => {
  await open((_, response) =>
    reply(response, { errorType: "Error", errorMessage: "names: required", stackTrace: [] }, 200, {
      "x-amz-function-error": "Unhandled",
    }),
  );
  await expect(functions.invoke("prober", {})).rejects.toMatchObject({
    kind: "Unexpected",
    message: "the function prober failed: names: required",
  });
});

test("reports a function that failed without a reason", async () => {
  await open((_, response) => response.setHeader("x-amz-function-error", "Unhandled").end());
  await expect(functions.invoke("prober", {})).rejects.toThrow("the function prober failed: it does not say why; its log does");
});

test("refuses an answer that is no JSON", async () => {
  await open((_, response) => response.end("not json"));
  await expect(functions.invoke("prober", {})).rejects.toMatchObject({ message: "the function prober answered no JSON" });
});

test("does not retry a call that failed", async () => {
  await open((_, response) => reply(response, { Message: "busy" }, 429, { "x-amzn-errortype": "TooManyRequestsException" }));
  await expect(functions.invoke("prober", {})).rejects.toMatchObject({ kind: "RateLimited", retryable: true });
  expect(aws.server.seen).toHaveLength(1);
});

test("an abort ends the waiting for an answer", async () => {
  const controller = new AbortController();
  await open(() => controller.abort(new Error("enough")));
  await expect(functions.invoke("prober", {}, { signal: controller.signal })).rejects.toThrow("enough");
});

test("stores an event", async () => {
  await open((_, response) => response.writeHead(202).end());
  await functions.invokeAsync("sender", '{"look":1}');
  expect(aws.server.seen[0]).toMatchObject({ headers: { "x-amz-invocation-type": "Event" } });
  expect(aws.server.seen[0]?.body.toString()).toBe('{"look":1}');
});

test("refuses an event that was answered with another status than 202", async () => {
  await open((_, response) => response.writeHead(200).end());
  await expect(functions.invokeAsync("sender", "{}")).rejects.toMatchObject({ kind: "Unavailable" });
});
