/** Clients from the registries that npm test does not start. */
import { awsCommand, openDalOss, openDalS3, ossutil, rclone, rcloneOss } from "./client-suites";
import { judge } from "./judge";

judge(openDalOss());
judge(openDalS3());
judge(awsCommand());
judge(ossutil());
judge(rclone());
judge(rcloneOss());
