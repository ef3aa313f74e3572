/** The actions that some types of resources need, as one statement of a policy. */
export interface Group {
  /** Name of the statement. */
  sid: string;
  /** Pulumi types of the resources that need these actions. */
  types: readonly string[];
  resources: readonly string[];
  reads: readonly string[];
  writes: readonly string[];
  condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Names of the bridge's resources. Other placeholders are in capitals, for the reader to replace: docs/deploy-from-github.md. */
export const NAMED = "crossborderbridge-*";
