import type { FunctionRecord, StsSession } from "../contracts";

export interface EnvironmentOptions {
  record: FunctionRecord;
  region: string;
  accountId: string;
  instanceId: string;
  codePath: string;
  folder: string;
  credentials: StsSession | undefined;
  /** PEM of the certificate of the local services. */
  caPath: string;
  more: Record<string, string>;
}

/** The environment of an instance's process, complete. https://www.alibabacloud.com/help/en/functioncompute/fc/environment-variables */
export function instanceEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { record, credentials } = options;
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: options.folder,
    TMPDIR: options.folder,
    ...record.environmentVariables,
    FC_FUNC_CODE_PATH: options.codePath,
    FC_ACCOUNT_ID: options.accountId,
    FC_FUNCTION_HANDLER: record.handler,
    FC_FUNCTION_MEMORY_SIZE: String(record.memorySize),
    FC_FUNCTION_NAME: record.functionName,
    FC_REGION: options.region,
    FC_INSTANCE_ID: options.instanceId,
    FC_VER_ID: "LATEST",
    // These date from the start of the instance. Each invocation gets current ones in its context.
    ...(credentials === undefined
      ? {}
      : {
          ALIBABA_CLOUD_ACCESS_KEY_ID: credentials.accessKeyId,
          ALIBABA_CLOUD_ACCESS_KEY_SECRET: credentials.accessKeySecret,
          ALIBABA_CLOUD_SECURITY_TOKEN: credentials.securityToken,
        }),
    NODE_EXTRA_CA_CERTS: options.caPath,
    ...options.more,
  };
}

/** The parts that every runtime gets, and what the context of a standard runtime has besides. */
export interface InvocationContext {
  credentials?: { accessKeyId: string; accessKeySecret: string; securityToken: string };
  function: { name: string; handler: string; memory: number; timeout: number };
  service: { name: string; logProject: string; logStore: string; qualifier: string; versionId: string };
  region: string;
  accountId: string;
}

/** https://www.alibabacloud.com/help/en/functioncompute/fc/context-1-1 A function without a role gets no credentials. */
export function invocationContext(
  record: FunctionRecord,
  where: { region: string; accountId: string },
  credentials: StsSession | undefined,
): InvocationContext {
  return {
    ...(credentials === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: credentials.accessKeyId,
            accessKeySecret: credentials.accessKeySecret,
            securityToken: credentials.securityToken,
          },
        }),
    function: { name: record.functionName, handler: record.handler, memory: record.memorySize, timeout: record.timeout },
    service: {
      name: "",
      logProject: record.logConfig?.project ?? "",
      logStore: record.logConfig?.logstore ?? "",
      qualifier: "LATEST",
      versionId: "",
    },
    region: where.region,
    accountId: where.accountId,
  };
}
