import type { CopyObjectCommand, CreateMultipartUploadCommand, PutObjectCommand } from "@aws-sdk/client-s3";

/**
 * Sends `Expires` to the letter. The SDK takes a Date only and writes it in its own form, but a stored value may be anything
 * ("0" is common), and what was read must be what is written.
 */
export function withRawExpires(
  command: PutObjectCommand | CopyObjectCommand | CreateMultipartUploadCommand,
  expires: string | undefined,
): void {
  if (expires === undefined) return;
  const { middlewareStack } = command as Pick<PutObjectCommand, "middlewareStack">;
  middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers.expires = expires;
      return next(args);
    },
    { step: "build", name: "rawExpires" },
  );
}
