/** The documents of docs/policies/: whom a role of a pipeline trusts, and what it may do. Pure. */
import { ALICLOUD_GROUPS } from "./alicloud";
import { awsGroups } from "./aws";
import type { Group } from "./group";

/** `up` deploys, `preview` only reads. */
const PURPOSES = ["up", "preview"] as const;
type Purpose = (typeof PURPOSES)[number];

const ISSUER = "token.actions.githubusercontent.com";
/** A workflow that runs in this environment of this repository, and no other. */
const SUBJECT = "repo:OWNER/REPOSITORY:environment:ENVIRONMENT";

export interface PolicyFile {
  path: string;
  document: { Version: string; Statement: readonly Readonly<Record<string, unknown>>[] };
}

export const POLICY_FILES: readonly PolicyFile[] = [
  ...(["aws", "aws-cn"] as const).flatMap((partition): PolicyFile[] => [
    trustFile(partition, {
      version: "2012-10-17",
      federated: `arn:${partition}:iam::ACCOUNT:oidc-provider/${ISSUER}`,
      action: "sts:AssumeRoleWithWebIdentity",
      conditions: {
        [`${ISSUER}:aud`]: partition === "aws" ? "sts.amazonaws.com" : "sts.amazonaws.com.cn",
        [`${ISSUER}:sub`]: SUBJECT,
      },
    }),
    ...rightsFiles(partition, "2012-10-17", awsGroups(partition)),
  ]),
  // https://www.alibabacloud.com/help/en/ram/user-guide/create-a-ram-role-for-a-trusted-idp
  trustFile("alicloud", {
    version: "1",
    federated: "acs:ram::ACCOUNT:oidc-provider/github",
    action: "sts:AssumeRole",
    conditions: { "oidc:iss": `https://${ISSUER}`, "oidc:aud": "sts.aliyuncs.com", "oidc:sub": SUBJECT },
  }),
  ...rightsFiles("alicloud", "1", ALICLOUD_GROUPS),
];

interface Trust {
  version: string;
  federated: string;
  action: string;
  conditions: Readonly<Record<string, string>>;
}

function trustFile(cloud: string, { version, federated, action, conditions }: Trust): PolicyFile {
  const statement = {
    Effect: "Allow",
    Principal: { Federated: federated },
    Action: action,
    Condition: { StringEquals: conditions },
  };
  return { path: `docs/policies/${cloud}-trust.json`, document: { Version: version, Statement: [statement] } };
}

function rightsFiles(cloud: string, version: string, groups: readonly Group[]): PolicyFile[] {
  return PURPOSES.map((purpose) => ({
    path: `docs/policies/${cloud}-${purpose}.json`,
    document: { Version: version, Statement: groups.flatMap((group) => statementsFor(group, purpose, version)) },
  }));
}

function statementsFor({ sid, resources, reads, writes, condition }: Group, purpose: Purpose, version: string) {
  const actions = purpose === "up" ? [...reads, ...writes].sort() : reads;
  if (actions.length === 0) return [];
  return [
    {
      // RAM has no names of statements.
      ...(version === "1" ? {} : { Sid: sid }),
      Effect: "Allow",
      Action: actions,
      Resource: resources,
      ...(condition === undefined ? {} : { Condition: condition }),
    },
  ];
}

export const textOf = ({ document }: PolicyFile): string => `${JSON.stringify(document, undefined, 2)}\n`;
