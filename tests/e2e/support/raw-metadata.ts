import { Readable } from "node:stream";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { TestEnd } from "./stack";

/** Puts an object with a header in raw UTF-8 bytes. Other clients send such headers; the SDK does not. */
export async function putWithRawHeader(
  { s3, bucket }: TestEnd,
  key: string,
  { header, value }: { header: string; value: string },
  body: Buffer,
): Promise<void> {
  // With a stream Node writes the header before it knows the length, and so its bytes.
  const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: Readable.from([body]), ContentLength: body.length });
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string> };
      // Node writes each character as one byte.
      request.headers = { [header]: Buffer.from(value, "utf8").toString("latin1"), ...request.headers };
      return next(args);
    },
    // Added after signing, because the SDK would sign the characters and not the bytes. The local cloud does not check the root signature.
    { step: "finalizeRequest", priority: "low", name: "rawMetadata" },
  );
  await s3.send(command);
}
