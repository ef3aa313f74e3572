/** Clients of one side in AWS, for calls that only read. */
import { APIGatewayClient } from "@aws-sdk/client-api-gateway";
import { EC2Client } from "@aws-sdk/client-ec2";
import { KMSClient } from "@aws-sdk/client-kms";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { BridgeError } from "../../../runtime/stores/errors";
import { awsClientOptions } from "../../clouds/aws-client";
import type { AwsAccess } from "../../operated-bridge";

/** A slow answer is for the runner to judge, so few tries are made. */
const TRIES = 2;

export interface AwsIdentity {
  accountId: string;
  arn: string;
}

export class AwsClients {
  readonly kind = "aws";
  readonly s3: S3Client;
  readonly kms: KMSClient;
  readonly lambda: LambdaClient;
  readonly sqs: SQSClient;
  readonly ssm: SSMClient;
  readonly apiGateway: APIGatewayClient;
  readonly ec2: EC2Client;
  private readonly sts: STSClient;
  private asked: Promise<AwsIdentity> | undefined;

  constructor(readonly access: AwsAccess) {
    const options = { ...awsClientOptions(access), maxAttempts: TRIES };
    this.s3 = new S3Client({ ...options, forcePathStyle: access.endpoint !== undefined });
    this.kms = new KMSClient(options);
    this.lambda = new LambdaClient(options);
    this.sqs = new SQSClient(options);
    this.ssm = new SSMClient(options);
    this.apiGateway = new APIGatewayClient(options);
    this.ec2 = new EC2Client(options);
    this.sts = new STSClient(options);
  }

  /** Who the credentials belong to. Asked once. */
  identity(): Promise<AwsIdentity> {
    this.asked ??= this.sts.send(new GetCallerIdentityCommand({})).then(({ Account, Arn }) => {
      if (Account === undefined || Arn === undefined)
        throw new BridgeError("Unexpected", "identity", "STS answered GetCallerIdentity without an account");
      return { accountId: Account, arn: Arn };
    });
    return this.asked;
  }

  /** The origin that the requests of S3 go to. */
  storeOrigin(): string {
    const { cloud, region, endpoint } = this.access;
    return endpoint ?? `https://s3.${region}.amazonaws.com${cloud === "aws-cn" ? ".cn" : ""}`;
  }

  close(): void {
    for (const client of [this.s3, this.kms, this.lambda, this.sqs, this.ssm, this.apiGateway, this.ec2, this.sts])
      client.destroy();
  }
}

/** The code of a refusal of AWS, such as `NoSuchBucket`; undefined for any other error. */
export function awsCode(error: unknown): string | undefined {
  const { name, Code, $metadata } = (error ?? {}) as { name?: unknown; Code?: unknown; $metadata?: unknown };
  if ($metadata === undefined) return undefined;
  return typeof Code === "string" ? Code : typeof name === "string" ? name : undefined;
}

export function awsStatus(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;
}

/** Resolves like `work`, and to undefined where AWS refuses with one of these codes. */
export async function unlessCode<T>(codes: RegExp, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codes.test(awsCode(error) ?? "")) return undefined;
    throw error;
  }
}
