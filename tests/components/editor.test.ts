/** An editor shows the documentation and the default of every setting of a bridge. */
import { z } from "zod";
import { bridgeSchema } from "../../components/config/schema";
import { type Editor, openEditor } from "../support/editor";

const PROGRAM = `
import * as alicloud from "@pulumi/alicloud";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { bridgeSchema } from "../../components/config/schema";
import type { BridgeSettings, CopyArgs, LifecycleRuleArgs } from "../../components/config/settings";
import { CrossBorderBridge, type CrossBorderBridgeArgs, type DestinationArgs, on, type SourceArgs } from "../../components";

declare const provider: aws.Provider;
export const bridge = new CrossBorderBridge("reports", {
  source: { cloud: "aws", region: "us-east-1", bucket: "from-here", provider },
  destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there", provider, lifecycle: [{ id: "old", expirationDays: 9 }] },
  token: pulumi.secret("later"),
  inlineLimitBytes: 1024,
  copy: { memoryMb: 2048 },
  transform: [
    on(aws.sqs.Queue, (queue, opts) => {
      queue.kmsMasterKeyId = "alias/queues";
      opts.protect = true;
    }),
    on(alicloud.fnf.Flow, (flow) => {
      flow.description = "media";
    }),
  ],
});
export const url: pulumi.Output<string> | undefined = bridge.receiverUrl;
export const blank: {
  bridge: Partial<CrossBorderBridgeArgs>;
  source: Partial<SourceArgs>;
  destination: Partial<DestinationArgs>;
  copy: CopyArgs;
  rule: Partial<LifecycleRuleArgs>;
} = { bridge: {}, source: {}, destination: {}, copy: {}, rule: {} };

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Flat<T> = T extends (infer E)[] ? Flat<E>[] : T extends object ? { [K in keyof T]: Flat<T[K]> } : T;
/** A value in the place of an output. */
type Plain<T> = T extends Promise<unknown> | pulumi.OutputInstance<unknown>
  ? never
  : T extends (infer E)[]
    ? Plain<E>[]
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : T;
export const types: Same<Flat<Plain<BridgeSettings>>, Flat<z.input<typeof bridgeSchema>>> = true;
`;

let editor: Editor;
beforeAll(() => {
  editor = openEditor(PROGRAM);
});

test("the program compiles, and the argument types are what the schema takes", () => {
  expect(editor.problems()).toEqual([]);
});

test.each([
  ["inlineLimitBytes: 1024", 'bufer: "none"', "'bufer' does not exist in type 'CrossBorderBridgeArgs'"],
  ["memoryMb: 2048", 'memoryMb: "much"', "Type 'string' is not assignable to type 'number'"],
  ["queue.kmsMasterKeyId", "queue.kmsKeyId", "Property 'kmsKeyId' does not exist on type 'QueueArgs'"],
  ["flow.description", "flow.fifoQueue", "Property 'fifoQueue' does not exist on type 'FlowArgs'"],
  ["opts.protect = true", 'opts.protect = "yes"', "Type 'string' is not assignable to type 'boolean'"],
  ["expirationDays: 9", "expiresDays: 9", "'expiresDays' does not exist in type 'LifecycleRuleArgs'"],
])("%s changed to %s is an error", (right, wrong, problem) => {
  expect(openEditor(PROGRAM.replace(right, wrong)).problems()).toEqual([expect.stringContaining(problem)]);
});

test("hovering shows the sentence and the default", () => {
  expect(editor.hover("inlineLimitBytes")).toMatchObject({
    text: "The copier copies larger objects. Over a slow link it copies objects above 8 MiB as well.",
    fallback: "67108864 (64 MiB)",
    type: "(property) BridgeSettings.inlineLimitBytes?: number | undefined",
  });
  expect(editor.hover("memoryMb")).toMatchObject({ text: expect.stringMatching(/^Memory of the copier/), fallback: "1024" });
  expect(editor.hover("bridge.receiverUrl")).toMatchObject({
    text: "URL that the sender posts to. It answers only to the allowlist. Present in mode `pull`.",
    type: expect.stringContaining("pulumi.Output<string>"),
  });
  expect(editor.hover("token")).toMatchObject({ type: expect.stringContaining("Input<string> | undefined") });
});

test.each([
  ["bridge", bridgeSchema],
  ["source", bridgeSchema.shape.source],
  ["destination", bridgeSchema.shape.destination],
  ["copy", bridgeSchema.shape.copy],
  ["rule", bridgeSchema.shape.destination.shape.lifecycle.unwrap().element],
])("completion offers every setting of a %s with its sentence", (name, schema) => {
  const offered = editor.completions(`${name}: {`);
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" }) as { properties?: Record<string, { description: string }> };
  expect(Object.keys(properties).length).toBeGreaterThan(3);
  const shown = Object.keys(properties).map((name) => [name, offered.get(name)?.().text.replace(/\s+/g, " ")]);
  expect(shown).toEqual(Object.entries(properties).map(([name, { description }]) => [name, description]));
});

test("completion offers the arguments of the class that a transform changes, with their documentation", () => {
  const offered = editor.completions("queue.");
  expect([...offered.keys()]).toEqual(expect.arrayContaining(["fifoQueue", "kmsMasterKeyId", "visibilityTimeoutSeconds"]));
  expect(offered.get("visibilityTimeoutSeconds")?.().text).toContain("Visibility timeout for the queue.");
  expect([...editor.completions("flow.").keys()]).toEqual(expect.arrayContaining(["definition", "description", "roleArn"]));
});
