import * as alicloud from "@pulumi/alicloud";
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
  destination: {
    cloud: "alicloud",
    ...to,
    provider: new alicloud.Provider("destination", { region: to.region, profile: to.profile }),
  },
  egress: "static",
  alarmEmails: [config.require("alarmEmail")],
  token: config.requireSecret("token"),
});

export const { sourceBucket, destinationBucket, deadLetterQueueUrl, notices } = bridge;
