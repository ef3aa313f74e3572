/** The latency probe: whether its objects would travel at all. */
import { isS3Native, probePrefixOf } from "./defaults";
import { type Rule, when } from "./rule";

const canary: Rule = ({ probe, scope }) => {
  if (probe.everyMinutes === 0) return [];
  const { minSizeBytes: least, maxSizeBytes: most = Number.POSITIVE_INFINITY } = scope;
  const inScope = most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
  return [
    ...when(
      !probe.enabled,
      ["probe", "everyMinutes"],
      "nobody would send the canary; allowed: 0, or probe.enabled: true as well",
      ["probe", "enabled"],
    ),
    ...when(
      probe.enabled && (probe.sizeBytes < least || probe.sizeBytes > most),
      ["probe", "sizeBytes"],
      `outside scope.minSizeBytes and scope.maxSizeBytes, so the canary would stay where it is; allowed: ${inScope}`,
      ["scope", "minSizeBytes"],
      ["scope", "maxSizeBytes"],
    ),
  ];
};

/** Its objects have no tags and a folder of their own, which follows from the scope and not from the rules. */
const carriedByRules: Rule = (config) => {
  const { probe, replication, scope } = config;
  const { rules } = replication;
  const folder = probePrefixOf(scope);
  const carried = rules.some(
    ({ enabled, prefix, tags }) => enabled && folder.startsWith(prefix) && Object.keys(tags).length === 0,
  );
  return when(
    isS3Native(config) && probe.enabled && rules.length > 0 && !carried,
    ["probe", "enabled"],
    `no rule of replication.rules carries its objects; allowed: false, or an enabled rule without tags whose prefix is ${folder} (or empty)`,
    ["replication", "rules"],
    ["scope", "prefixes"],
  );
};

export const PROBE_RULES: readonly Rule[] = [canary, carriedByRules];
