/** The rules that S3 replicates by: those of `replication.rules`, or one for each prefix of the scope. */
import { CONTROL_PREFIX, inControlPrefix } from "../../runtime/protocol/control";
import { type Rule, repeated, when } from "./rule";

const LIST = ["replication", "rules"] as const;

const distinctIds: Rule = ({ replication: { rules } }) =>
  repeated(
    rules,
    ({ id }) => id,
    (index) => ({ path: [...LIST, index, "id"], message: "the id of an earlier rule as well; allowed: another one" }),
  );

const distinctPriorities: Rule = ({ replication: { rules } }) =>
  repeated(
    rules,
    ({ priority }) => priority,
    (index, { id }) => ({
      path: [...LIST, index, "priority"],
      message: `the priority of rule ${id} as well, so neither would come first; allowed: another one`,
    }),
  );

const oneSelection: Rule = ({ replication: { rules }, scope }) => {
  const given = { prefixes: scope.prefixes.length > 0, tags: Object.keys(scope.tags).length > 0 };
  return (["prefixes", "tags"] as const).flatMap((key) =>
    when(
      rules.length > 0 && given[key],
      ["scope", key],
      "replication.rules say as well which objects are replicated; allowed: one or the other",
      LIST,
    ),
  );
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteMarkerReplication.html */
const deletesByTag: Rule = ({ replication: { rules }, scope, deletes }) => {
  const why = "S3 replicates no delete markers by a rule that looks at tags";
  return [
    ...when(
      rules.length === 0 && Object.keys(scope.tags).length > 0 && deletes === "replicate",
      ["deletes"],
      `${why}; allowed: ignore, or no scope.tags`,
      ["scope", "tags"],
      LIST,
    ),
    ...rules.flatMap((rule, index) =>
      when(
        Object.keys(rule.tags).length > 0 && (rule.deletes ?? deletes) === "replicate",
        [...LIST, index, rule.deletes === undefined ? "tags" : "deletes"],
        `${why}; allowed: deletes: ignore in this rule, or no tags`,
        ["deletes"],
      ),
    ),
  ];
};

const controlPrefix: Rule = ({ replication: { rules }, scope }) => {
  const message = `reserved for the bridge's own records; allowed: anything that does not begin with ${CONTROL_PREFIX}`;
  return [
    ...rules.flatMap(({ prefix }, index) => when(inControlPrefix(prefix), [...LIST, index, "prefix"], message)),
    ...scope.prefixes.flatMap((prefix, index) => when(inControlPrefix(prefix), ["scope", "prefixes", index], message)),
  ];
};

export const REPLICATION_RULES: readonly Rule[] = [distinctIds, distinctPriorities, oneSelection, deletesByTag, controlPrefix];
