import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ObjectStore } from "../../../../runtime/stores/object-store";
import { createS3Client, type S3ClientOptions } from "../../../../runtime/stores/s3/client";
import { createS3Store } from "../../../../runtime/stores/s3/store";

export interface SeenRequest {
  method: string;
  /** Path and query as sent. */
  url: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** An HTTP server that answers as a test says, to see what goes over the wire and how answers are taken. */
export class FakeS3 {
  readonly seen: SeenRequest[] = [];
  private answers: Answer[] = [];
  private constructor(
    readonly server: Server,
    readonly endpoint: string,
  ) {}

  static async start(): Promise<FakeS3> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const fake = new FakeS3(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => fake.take(request, response));
    return fake;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  /** One answer for each coming request, in order. */
  answer(...answers: Answer[]): void {
    this.answers = answers;
    this.seen.length = 0;
  }

  store(options: Partial<S3ClientOptions> & { storageClass?: string; kmsKeyArn?: string } = {}): ObjectStore {
    const { storageClass, kmsKeyArn, ...clientOptions } = options;
    const client = createS3Client({
      region: "us-east-1",
      endpoint: this.endpoint,
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
      ...clientOptions,
    });
    return createS3Store({ client, bucket: "bucket", storageClass, kmsKeyArn });
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const seen = { method, url, headers, body: Buffer.concat(chunks) };
      this.seen.push(seen);
      const answer = this.answers.shift() ?? status(500);
      answer(seen, response);
    });
  }
}

/** An answer with these headers (latin1, as they go over the wire) and body. */
export function status(code: number, headers: Record<string, string> = {}, body = ""): Answer {
  return (_request, response) => {
    response.writeHead(code, headers);
    response.end(body);
  };
}

/** An answer with S3's error document. */
export function refusal(httpStatus: number, code: string): Answer {
  return status(httpStatus, { "content-type": "application/xml" }, `<Error><Code>${code}</Code><Message>m</Message></Error>`);
}

export const HEAD = { etag: '"e1"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", "content-length": "0" };
