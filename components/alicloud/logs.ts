import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, Side } from "../cloud";
import { PROBER_PARTS } from "../prober";
import { aliasesInModes, logProjectName, logStoreArn, type Place } from "./names";
import { afterRest } from "./rest";

const STORE = "functions";
/** The maximum of the service, which stands for unlimited retention. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createlogstore */
const MAX_RETENTION_DAYS = 3650;
/** Characters that separate words in the full-text index. */
const TOKENS = ", '\";=()[]{}?@&<>/:\n\t\r";

/**
 * `crossborder:alicloud:Logs`: one searchable store for the functions of one side. The prober has a store of its own, because it also
 * runs in modes without other functions.
 */
export class Logs extends pulumi.ComponentResource {
  /** Known when a function may write to the store, as is its name. */
  readonly project: pulumi.Output<string>;
  readonly store: pulumi.Output<string>;
  /** Known at once, for policies. */
  readonly storeArn: pulumi.Output<string>;
  /** Resources that a function must wait for. Without them its first log lines are lost. */
  readonly ready: pulumi.Resource[];

  constructor(
    context: BridgeContext,
    args: { side: Side; prober?: boolean; place: pulumi.Output<Place>; parent: pulumi.Resource },
  ) {
    const { side, prober = false, place } = args;
    const name = `${context.name}-${side}-${prober ? "prober-" : ""}logs`;
    const aliases = side === "source" && !prober ? aliasesInModes(context) : [];
    super("crossborder:alicloud:Logs", name, {}, { parent: args.parent, aliases });
    const { config } = context;
    const child = { parent: this, provider: context.provider };
    const project = new alicloud.log.Project(
      `${name}-project`,
      {
        projectName: place.accountId.apply((accountId) =>
          logProjectName(config.name, prober ? PROBER_PARTS[side] : side, accountId),
        ),
        description: `${prober ? "Prober" : "Functions"} of bridge ${config.name}, ${side}`,
      },
      child,
    );
    const store = new alicloud.log.Store(
      `${name}-store`,
      {
        projectName: project.projectName,
        logstoreName: STORE,
        retentionPeriod: Math.min(config.logRetentionDays, MAX_RETENTION_DAYS),
        shardCount: 1,
        autoSplit: true,
        maxSplitShardCount: 8,
      },
      child,
    );
    const index = new alicloud.log.StoreIndex(
      `${name}-index`,
      {
        project: project.projectName,
        logstore: store.logstoreName,
        fullText: { caseSensitive: false, token: TOKENS },
        fieldSearches: [{ name: "message", type: "text", enableAnalytics: true, caseSensitive: false, token: TOKENS }],
      },
      child,
    );
    const rest = { created: [store.createTime], after: [index], seconds: config.settleSeconds };
    this.project = afterRest(project.projectName, rest);
    this.store = afterRest(store.logstoreName, rest);
    this.storeArn = pulumi
      .all([place, project.projectName, store.logstoreName])
      .apply(([where, projectName, logstoreName]) => logStoreArn(where, projectName, logstoreName));
    this.ready = [index];
    this.registerOutputs({ project: this.project, store: this.store });
  }
}
