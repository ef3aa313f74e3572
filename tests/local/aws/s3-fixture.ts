/** One running emulator of S3, with its root, users and unsigned requests. */
import { readFile, rm } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { ensureCertificate } from "../../../local/aws/certificate";
import { clientConfig } from "../../../local/aws/client-config";
import { installMinistack, type Ministack, startMinistack } from "../../../local/aws/ministack";
import { createRunDir, DEFAULT_STATE_DIR, runsDir, toolsDir } from "../../../local/paths";
import { readAll } from "../../../runtime/stores/read-all";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface LocalS3 {
  /** For `clientConfig`. */
  readonly partition: Pick<Ministack, "endpoint" | "region"> & { caPath: string; credentials: Credentials };
  /** The account's root. It sends a checksum only where it is asked for one. */
  readonly s3: S3Client;
  config(credentials?: Credentials): S3ClientConfig;
  bucket(versioned?: boolean): Promise<string>;
  /** The client of a new user who may do this and nothing else. */
  userWith(...actions: string[]): Promise<S3Client>;
  /** Sends a request as it is. */
  send(method: string, path: string, headers?: Record<string, string>): Promise<Answer>;
  end(): Promise<void>;
}

const SECRET = "the secret of the root";

export async function startLocalS3(): Promise<LocalS3> {
  const [installation, tls, dataDir] = await Promise.all([
    installMinistack({ stateDir: toolsDir(DEFAULT_STATE_DIR) }),
    ensureCertificate(DEFAULT_STATE_DIR),
    createRunDir(runsDir(DEFAULT_STATE_DIR)),
  ]);
  const accountId = "111111111111";
  const where = { installation, tls, partition: "aws", region: "us-east-1", accountId, dataDir } as const;
  const emulator = await startMinistack({ ...where, rootSecret: SECRET });
  const root = { accessKeyId: accountId, secretAccessKey: SECRET };
  const ca = await readFile(tls.certPath);
  const partition = { endpoint: emulator.endpoint, region: emulator.region, caPath: tls.certPath, credentials: root };
  const config = (credentials = root): S3ClientConfig => ({
    ...clientConfig(partition, credentials),
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  const s3 = new S3Client(config());
  let buckets = 0;
  let users = 0;
  return {
    partition,
    s3,
    config,
    async bucket(versioned = false) {
      const Bucket = `bucket-${++buckets}`;
      await s3.send(new CreateBucketCommand({ Bucket }));
      if (versioned) await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
      return Bucket;
    },
    async userWith(...Action) {
      const iam = new IAMClient(clientConfig(partition));
      const UserName = `user-${++users}`;
      await iam.send(new CreateUserCommand({ UserName }));
      const Statement = { Effect: "Allow", Action, Resource: "arn:aws:s3:::*" };
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "own", PolicyDocument }));
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
      const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } = AccessKey ?? {};
      return new S3Client(config({ accessKeyId, secretAccessKey }));
    },
    send: (method, path, headers = {}) =>
      new Promise((resolve, reject) => {
        request({ host: "127.0.0.1", port: emulator.port, method, path, headers, ca, agent: false }, (response) => {
          const { statusCode: status = 0 } = response;
          readAll(response, 1024 ** 2).then(
            (body) => resolve({ status, headers: response.headers, body: body.toString() }),
            reject,
          );
        })
          .on("error", reject)
          .end();
      }),
    async end() {
      s3.destroy();
      await emulator.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** What `expect(...).rejects.toMatchObject` compares with an error of the SDK. */
export const refusal = (name: string, httpStatusCode: number, message?: RegExp) => ({
  name,
  $metadata: expect.objectContaining({ httpStatusCode }),
  ...(message === undefined ? {} : { message: expect.stringMatching(message) }),
});
