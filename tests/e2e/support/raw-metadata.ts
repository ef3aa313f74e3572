import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { TestEnd } from "./stack";

/** Puts an object with a metadata value as raw UTF-8 bytes in the header. Other clients send such headers; the SDK does not. */
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
      // Node writes each character as one byte.
      headers[`x-amz-meta-${name}`] = Buffer.from(value, "utf8").toString("latin1");
      return next(args);
    },
    // Added after signing, because the SDK would sign the characters and not the bytes. The local cloud does not check the root signature.
    { step: "finalizeRequest", priority: "low", name: "rawMetadata" },
  );
  await s3.send(command);
}
