/** The quick part of the judges: three clients, with the signatures and errors of both clouds. `npm run test:judges` has all. */
import { aliOssClient, boto3Client, ossV2Client } from "./client-suites";
import { judge } from "./judge";

judge(aliOssClient());
judge(ossV2Client());
judge(boto3Client());
