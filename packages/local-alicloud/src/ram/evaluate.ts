/** https://www.alibabacloud.com/help/en/ram/user-guide/policy-evaluation-process */
import type { Decision } from "../oss/contracts";
import { matchesResource, matchesWildcards } from "../wildcards";
import { conditionsHold } from "./conditions";
import type { PolicyDocument, Statement } from "./policy-document";

export interface PolicyRequest {
  /** E.g. `oss:PutObject`. Case-insensitive. */
  action: string;
  /** E.g. `acs:oss:cn-shanghai:<uid>:bucket/key`. Case-sensitive. */
  resource: string;
  conditions: Readonly<Record<string, string>>;
}

function applies(statement: Statement, { action, resource, conditions }: PolicyRequest): boolean {
  const { Effect, Action, NotAction, Resource, Condition } = statement;
  const names = (patterns: string | string[]) =>
    [patterns].flat().some((pattern) => matchesWildcards(pattern, action, { ignoreCase: true }));
  const actionFits = NotAction === undefined ? names(Action ?? []) : !names(NotAction);
  return (
    actionFits &&
    [Resource].flat().some((pattern) => matchesResource(pattern, resource)) &&
    conditionsHold(Condition, conditions, Effect === "Deny")
  );
}

/** `deny` when a Deny statement applies, else `allow` when an Allow statement does, else `none`. */
export function evaluatePolicies(documents: readonly PolicyDocument[], request: PolicyRequest): Decision {
  const effects = documents.flatMap((document) =>
    document.Statement.filter((statement) => applies(statement, request)).map(({ Effect }) => Effect),
  );
  if (effects.includes("Deny")) return "deny";
  return effects.length > 0 ? "allow" : "none";
}
