import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { CrossBorderBridge } from "crossborderbridge";

const config = new pulumi.Config();
const at = (side: "source" | "destination") => ({
  region: config.require(`${side}Region`),
  bucket: config.require(`${side}Bucket`),
  profile: config.require(`${side}Profile`),
});
const from = at("source");
const to = at("destination");

const bridge = new CrossBorderBridge(pulumi.getProject(), {
  source: { cloud: "aws", ...from, provider: new aws.Provider("source", { region: from.region, profile: from.profile }) },
  destination: { cloud: "aws-cn", ...to, provider: new aws.Provider("destination", { region: to.region, profile: to.profile }) },
  // Requests carry an AWS signature, which AWS China serves without an ICP licence.
  egress: "static",
  auth: { kind: "iam" },
  alarmEmails: [config.require("alarmEmail")],
  token: config.requireSecret("token"),
});

export const { sourceBucket, destinationBucket, deadLetterQueueUrl, notices } = bridge;
