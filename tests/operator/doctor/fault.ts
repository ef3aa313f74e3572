/** A fault that is planted into clouds that are in order, and what the doctor must say of it. */
import type { FakeAlicloud } from "./fake-alicloud";
import type { FakeAws } from "./fake-aws";
import type { Clinic } from "./fixture";

export type Aws = Clinic<FakeAws, FakeAws>;
export type Oss = Clinic<FakeAlicloud, FakeAlicloud>;

export interface Fault<C> {
  name: string;
  plant(clinic: C): void;
  /** `check (side)` of each finding. */
  found: string;
  what: RegExp;
  fix: RegExp;
}

export const source = ({ settings }: Aws | Oss): Record<string, unknown> => settings.source as Record<string, unknown>;

/** A line of the sender, as CloudWatch Logs and Simple Log Service return it. */
export const logged = (reason: string): string =>
  JSON.stringify({ level: "warn", message: "held", time: new Date().toISOString(), key: "a", reason });
