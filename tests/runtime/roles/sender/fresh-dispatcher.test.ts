import { Agent } from "undici";
import { freshDispatcher } from "../../../../runtime/roles/sender/receiver-client";
import { VirtualTime } from "../../../support/virtual-time";
import { startHttps } from "../../support/https-server";

test("keeps its connection while busy, opens a new one after a pause, and lets running requests end", async () => {
  let finish: (() => void) | undefined;
  let reached: (() => void) | undefined;
  const server = await startHttps((request, response) => {
    if (request.url === "/slow") {
      finish = () => response.end("slow");
      reached?.();
    } else response.end("quick");
  });
  const clock = new VirtualTime();
  const opened: Agent[] = [];
  const take = freshDispatcher(clock, () => {
    const agent = new Agent({ connections: 1, connect: { ca: server.ca } });
    opened.push(agent);
    return agent;
  });
  const get = async (path: string) => (await take().request({ origin: server.origin, path, method: "GET" })).body.text();

  try {
    expect([await get("/"), await get("/")]).toEqual(["quick", "quick"]);
    clock.advance(3_000);
    await get("/");
    expect([opened.length, server.connections()]).toEqual([1, 1]);

    const slow = get("/slow");
    await new Promise<void>((resolve) => {
      reached = resolve;
      if (finish) resolve();
    });
    clock.advance(3_001);
    expect(await get("/")).toBe("quick");
    expect([opened.length, server.connections()]).toEqual([2, 2]);
    finish?.();
    expect(await slow).toBe("slow");
  } finally {
    await Promise.all(opened.map((agent) => agent.destroy()));
    await server.close();
  }
});
