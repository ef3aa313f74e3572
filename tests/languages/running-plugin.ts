/** The plugin in a process of its own, as Pulumi's language host starts it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import * as services from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";

export interface RunningPlugin {
  /** On 127.0.0.1. */
  port: number;
  /** Its answer to `GetSchema`, JSON. */
  schema(): Promise<string>;
  stop(): Promise<void>;
}

/** @param args of Node.js: options, and the entry. The engine that attaches later tells the plugin its address. */
export async function startPlugin(args: readonly string[]): Promise<RunningPlugin> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const exited = once(child, "exit");
  const first = once(createInterface(child.stdout), "line") as Promise<[string]>;
  const line = await Promise.race([first, exited.then(() => undefined)]);
  if (line === undefined) throw new Error(`the plugin ended: ${errors}`);
  const port = Number(line[0]);
  return {
    port,
    schema: () => schemaAt(port),
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

async function schemaAt(port: number): Promise<string> {
  const client = new services.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": 64 * 1024 * 1024,
  });
  try {
    return await new Promise<string>((resolve, reject) =>
      client.getSchema(new proto.GetSchemaRequest(), (error: Error | null, answer: proto.GetSchemaResponse) =>
        error === null ? resolve(answer.getSchema()) : reject(error),
      ),
    );
  } finally {
    client.close();
  }
}
