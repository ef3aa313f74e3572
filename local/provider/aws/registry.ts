/** The resource types of the local AWS. A new type is an entry in `resources/`; a new file there is a line here. */
import { inItsRegion } from "./regions";
import * as apigateway from "./resources/apigateway";
import * as apigatewayStage from "./resources/apigateway-stage";
import * as cloudwatch from "./resources/cloudwatch";
import * as dashboard from "./resources/dashboard";
import * as ec2Network from "./resources/ec2-network";
import * as ec2Routing from "./resources/ec2-routing";
import * as events from "./resources/events";
import * as iam from "./resources/iam";
import * as iamUser from "./resources/iam-user";
import * as lambdaFunction from "./resources/lambda-function";
import * as lambdaTriggers from "./resources/lambda-triggers";
import * as s3 from "./resources/s3";
import * as s3Configuration from "./resources/s3-configuration";
import * as s3Notification from "./resources/s3-notification";
import * as s3Replication from "./resources/s3-replication";
import * as sns from "./resources/sns";
import * as sqs from "./resources/sqs";
import * as ssm from "./resources/ssm";

export const RESOURCES = [
  apigateway,
  apigatewayStage,
  cloudwatch,
  dashboard,
  ec2Network,
  ec2Routing,
  events,
  iam,
  iamUser,
  lambdaFunction,
  lambdaTriggers,
  s3,
  s3Configuration,
  s3Notification,
  s3Replication,
  sns,
  sqs,
  ssm,
]
  .flatMap((service) => Object.values(service))
  .map(inItsRegion);
