/** The local S3, with the key of a user: the emulator does not check the signatures of an account's own key. */
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { clientConfig } from "../../local/aws/client-config";
import { startLocalAws } from "../../local/aws/local-aws";

export interface JudgedS3 {
  endpoint: string;
  region: string;
  /** PEM. */
  caPath: string;
  accessKeyId: string;
  secretAccessKey: string;
  stop(): Promise<void>;
}

export async function startJudgedS3(): Promise<JudgedS3> {
  const local = await startLocalAws();
  try {
    const iam = new IAMClient(clientConfig(local.aws));
    const UserName = "judge";
    const Statement = [{ Effect: "Allow", Action: "s3:*", Resource: "*" }];
    await iam.send(new CreateUserCommand({ UserName }));
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "s3", PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    iam.destroy();
    const { endpoint, region, caPath } = local.aws;
    const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } = AccessKey ?? {};
    return { endpoint, region, caPath, accessKeyId, secretAccessKey, stop: () => local.stop() };
  } catch (error) {
    await local.stop();
    throw error;
  }
}
