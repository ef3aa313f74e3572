import type { BridgeConfig } from "../components/config";
import type { OperatedOutputs } from "./operated-bridge";
import type { SideAccess } from "./side-access";

/** What has to be known of a stack before a bridge can be opened. */
export interface StackToOperate {
  stack: string;
  config: Omit<BridgeConfig, "token">;
  outputs: OperatedOutputs;
  access: { source: SideAccess; destination: SideAccess };
}
