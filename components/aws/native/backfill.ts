import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../../cloud";
import { assumedBy, type Statement } from "../policies";
import { type BackfillPolicyArgs, backfillKeyStatements, backfillPolicy } from "./policies";

/** `crossborder:aws:BackfillRole`: the role of S3 Batch Operations jobs, which replicate objects that are older than the bridge. */
export class BackfillRole extends pulumi.ComponentResource {
  readonly roleArn: pulumi.Output<string>;
  /** Statements that the policy of the source's key needs; empty without a key. */
  readonly kmsKeyPolicyStatements: pulumi.Output<Statement[]>;

  constructor(context: BridgeContext, args: { bucketArn: pulumi.Output<string>; prefixes: string[]; physicalName: string }) {
    const name = `${context.name}-backfill`;
    super("crossborder:aws:BackfillRole", name, {}, { parent: context.parent });
    const { config, provider } = context;
    const { region, kmsKeyArn } = config.source;
    const child = { parent: this, provider };
    const service = aws.getServicePrincipalOutput({ serviceName: "batchoperations.s3", region }, child).name;
    const facts = pulumi.all([args.bucketArn, aws.getPartitionOutput({}, child).dnsSuffix, kmsKeyArn]).apply(
      ([bucketArn, dnsSuffix, key]): BackfillPolicyArgs => ({
        source: { bucketArn, region, kmsKeyArn: key },
        prefixes: args.prefixes,
        dnsSuffix,
      }),
    );
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        name: args.physicalName,
        description: `Backfills bridge ${config.name}`,
        assumeRolePolicy: service.apply((principal) => JSON.stringify(assumedBy(principal))),
      },
      child,
    );
    const policy = new aws.iam.RolePolicy(
      `${name}-policy`,
      { name: "backfill", role: role.name, policy: facts.apply((one) => JSON.stringify(backfillPolicy(one))) },
      child,
    );
    // The ARN exists only after the role has its policy.
    this.roleArn = pulumi.all([role.arn, policy.id]).apply(([arn]) => arn);
    this.kmsKeyPolicyStatements = pulumi.all([role.arn, facts]).apply(([roleArn, one]) => backfillKeyStatements(roleArn, one));
    this.registerOutputs({ roleArn: this.roleArn });
  }
}
