/** The four ways in which the tour breaks the bridge, each with what must be shown. */
import { DeleteFunctionCommand } from "@aws-sdk/client-lambda";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { generateSecret } from "../../../../runtime/protocol/signing";
import { deleteBucket } from "../objects";
import type { TourClients } from "./clients";

export interface Break {
  title: string;
  /** For the page: what was done, in a sentence. */
  done: string;
  act(clients: TourClients): Promise<unknown>;
  /** The key that is written then, if the break itself is not an object. */
  key: string;
  isObject?: true;
  /** What the page and `status` say. */
  status: "PENDING" | "FAILED";
  reason: RegExp;
  /** The beginning of the place. */
  place: "between the sides" | "destination aws-cn:bridge-dev-china" | "source aws:bridge-dev-global" | undefined;
  /** One of these alarms rings. */
  alarms: RegExp;
  /** The commands that must be printed, in the order in which they are run. */
  mends: RegExp[];
}

const REDEPLOY = /^npm start -- --redeploy --stack dev$/;
const RECEIVER = "crossborderbridge-dev-receiver";
const SECRET = "/crossborderbridge/dev/destination/token";

export const BREAKS: readonly Break[] = [
  {
    title: "The receiver is gone",
    done: `Somebody deletes the function ${RECEIVER} in the account of the destination.`,
    act: ({ lambda }) => lambda.send(new DeleteFunctionCommand({ FunctionName: RECEIVER })),
    key: "reports/while-the-receiver-is-gone.txt",
    status: "PENDING",
    reason: /receiver/,
    place: "between the sides",
    alarms: /-(receiver-unreachable|late|no-success)$/,
    mends: [REDEPLOY],
  },
  {
    title: "The secrets differ",
    done: `Somebody writes another value into the parameter ${SECRET} of the destination.`,
    act: ({ ssm }) =>
      ssm.send(new PutParameterCommand({ Name: SECRET, Type: "SecureString", Value: generateSecret(), Overwrite: true })),
    key: "reports/while-the-secrets-differ.txt",
    status: "PENDING",
    reason: /the signing secrets of sender and receiver differ/,
    place: "between the sides",
    alarms: /-(receiver-unreachable|late|no-success)$/,
    mends: [REDEPLOY],
  },
  {
    title: "The destination bucket is deleted",
    done: "Somebody deletes the bucket bridge-dev-china with everything in it.",
    act: ({ destination }) => deleteBucket(destination),
    key: "reports/while-there-is-no-bucket.txt",
    status: "PENDING",
    reason: /NoSuchBucket/,
    place: "destination aws-cn:bridge-dev-china",
    alarms: /-(late|no-success)$/,
    mends: [/^npm start -- --redeploy --stack dev && npm run bridge -- backfill --stack dev --local$/],
  },
  {
    title: "An object that cannot be carried",
    done: "Somebody writes an object straight into the storage class GLACIER, where nobody can read it.",
    act: ({ source }) =>
      source.s3.send(
        new PutObjectCommand({ Bucket: source.bucket, Key: "reports/archived.txt", Body: "frozen", StorageClass: "GLACIER" }),
      ),
    key: "reports/archived.txt",
    isObject: true,
    status: "FAILED",
    reason: /archived/,
    place: undefined,
    alarms: /-key-parked$/,
    mends: [
      /^aws s3api restore-object --bucket bridge-dev-global --key reports\/archived\.txt --restore-request Days=3$/,
      /^npm run bridge -- redrive --stack dev --local$/,
    ],
  },
];
