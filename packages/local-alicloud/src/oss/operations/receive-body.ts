import { assertContentMd5, type Exchange } from "../exchange";
import type { Operation } from "../operation";
import { OssError } from "../oss-error";
import type { Received } from "../store/data-files";

/** The largest object of one request. */
export const MAX_BODY_BYTES = 5 * 1024 ** 3;

export const tooLarge = (): OssError =>
  new OssError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.", {
    details: { MaxSizeAllowed: String(MAX_BODY_BYTES) },
  });

/** Deletes the received data when the work fails. */
export async function discardOnError<T>(operation: Operation, received: Received, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await operation.bucket.data.remove(received.segments);
    throw error;
  }
}

/** @throws OssError `MissingContentLength` */
export function assertLength(exchange: Exchange): void {
  if (exchange.header("content-length") === undefined && exchange.header("transfer-encoding") === undefined)
    throw new OssError(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
}

/** Refuses the request and closes the connection when its body sends nothing for a while. */
export async function withinIdleLimit<T>({ exchange, bodyIdleMs }: Operation, work: () => Promise<T>): Promise<T> {
  const { request, response } = exchange;
  request.setTimeout(bodyIdleMs, () => {
    if (response.headersSent) {
      // The client does not read its answer either.
      request.socket.destroy();
      return;
    }
    response.once("finish", () => request.socket.destroySoon());
    exchange.refuse(
      new OssError(
        400,
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period.",
      ),
    );
  });
  return work().finally(() => request.setTimeout(0));
}

/**
 * Streams the body to disk and checks it against Content-MD5. When a body ends before its Content-Length, its data is deleted.
 * @throws OssError `MissingContentLength`, `EntityTooLarge`, `InvalidDigest`.
 */
export async function receiveBody(operation: Operation): Promise<Received> {
  const { exchange, bucket } = operation;
  assertLength(exchange);
  if (Number(exchange.header("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const md5 = exchange.header("content-md5");
  if (md5 !== undefined && !/^[A-Za-z0-9+/]{22}==$/.test(md5))
    throw new OssError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.", { details: { "Content-MD5": md5 } });
  exchange.welcomeBody();
  const received = await withinIdleLimit(operation, () => bucket.data.receive(exchange.request));
  return discardOnError(operation, received, async () => {
    if (received.sizeBytes > MAX_BODY_BYTES) throw tooLarge();
    assertContentMd5(md5, Buffer.from(received.md5, "base64"));
    return received;
  });
}
