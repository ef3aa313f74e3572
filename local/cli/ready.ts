/** What `npm start` prints when the bridge is ready: the ends, and lines to copy into a shell. */
import { quoted } from "../../operator/overview/remedies";
import type { LocalEnd } from "./ends";
import type { HttpFront } from "./http-front";

export type ReadyEnd = ReturnType<typeof describeEnd>;

export function describeEnd({ kind, region, bucket, prefix, credentials }: LocalEnd, front: HttpFront) {
  // The AWS SDK adds properties to the credentials object.
  const { accessKeyId, secretAccessKey } = credentials;
  return { kind, endpoint: front.endpoint, region, bucket, prefix, accessKeyId, secretAccessKey };
}

export interface Ready {
  source: ReadyEnd;
  destination: ReadyEnd;
  receiver: { url: string } | undefined;
  workflow: { name: string } | undefined;
  deadLetter: { queueUrl: string } | undefined;
  caFile: string;
  page: { url: string } | undefined;
}

export interface ExampleOptions {
  stack: string;
  /** In the scope of the stack. */
  key: string;
  /** Whether the operator's command finds this run: another one of the same stack may have started before it. */
  isFound: boolean;
}

export function readyText(ready: Ready, { stack, key, isFound }: ExampleOptions): string {
  const end = ({ kind, endpoint, region, bucket, accessKeyId, secretAccessKey }: ReadyEnd) =>
    `${bucket}\n               ${kind === "s3" ? "S3" : "OSS"} endpoint ${endpoint}  region ${region}\n               access key ${accessKeyId}  secret ${secretAccessKey}`;
  const lines: [string, string | undefined][] = [
    ["source", end(ready.source)],
    ["destination", end(ready.destination)],
    ["receiver", ready.receiver?.url],
    ["workflow", ready.workflow?.name],
    ["dead letters", ready.deadLetter?.queueUrl],
    ["page", ready.page?.url],
    ["trust", `${ready.caFile} (for the https addresses)`],
  ];
  const shown = lines.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(12)} ${value}`]));
  const commands = [...copyLines(ready, key), ...(isFound ? operatorLines(stack) : [])];
  return `
${shown.join("\n")}

To copy into another terminal:
${commands.map((line) => `  ${line}`).join("\n")}

Ctrl-C ends everything.`;
}

/** One to write an object at the source, and one to read its copy. */
export function copyLines({ source, destination }: Pick<Ready, "source" | "destination">, key: string): string[] {
  const url = ({ kind, bucket, prefix }: ReadyEnd) => quoted(`${kind === "s3" ? "s3" : "oss"}://${bucket}/${prefix}${key}`);
  const put = source.kind === "s3" ? awsLine(source, "cp README.md", url(source)) : ossLine(source, "cp README.md", url(source));
  const read =
    destination.kind === "s3"
      ? awsLine(destination, "cp", `${url(destination)} -`)
      : ossLine(destination, "cat", url(destination));
  return [put, read];
}

function awsLine({ endpoint, region, accessKeyId, secretAccessKey }: ReadyEnd, command: string, paths: string): string {
  const environment = `AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_REGION=${region}`;
  return `${environment} aws --endpoint-url ${endpoint} s3 ${command} ${paths}`;
}

/** Both versions of ossutil take it, and so does `aliyun oss`. Version 1 reads no keys from the environment. */
function ossLine({ endpoint, region, accessKeyId, secretAccessKey }: ReadyEnd, command: string, paths: string): string {
  return `ossutil ${command} ${paths} -e ${endpoint} --region ${region} --sign-version v4 -i ${accessKeyId} -k ${secretAccessKey}`;
}

function operatorLines(stack: string): string[] {
  const named = `--stack ${quoted(stack)}`;
  return [`npm run bridge -- status ${named} --local`, `npm start -- --redeploy ${named}`];
}
