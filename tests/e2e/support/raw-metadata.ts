import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { TestEnd } from "./stack";

/** Puts an object with a user metadata value as raw UTF-8 bytes in the header, which the SDK refuses to send and other clients do send. */
export async function putWithRawMetadata(
  { s3, bucket }: TestEnd,
  key: string,
  name: string,
  value: string,
  body: Buffer,
): Promise<void> {
  const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: body });
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      // Node writes one byte a character.
      headers[`x-amz-meta-${name}`] = Buffer.from(value, "utf8").toString("latin1");
      return next(args);
    },
    // After signing: the signature would cover the characters and not the bytes; the account's own credentials need none here.
    { step: "finalizeRequest", priority: "low", name: "rawMetadata" },
  );
  await s3.send(command);
}
