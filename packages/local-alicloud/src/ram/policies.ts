import { ApiError, type RamPolicy } from "../contracts";
import { assertDescription, assertPolicyName, isoSeconds } from "./names";
import { type PolicyDocument, parsePolicyDocument } from "./policy-document";

/** https://www.alibabacloud.com/help/en/ram/product-overview/limits */
const MAX_VERSIONS = 5;

export interface PolicyVersion {
  /** `v1`, `v2`, ... */
  versionId: string;
  policyDocument: string;
  document: PolicyDocument;
  /** Ms since the epoch, like all times here. */
  createdAt: number;
}

export interface KeptPolicy extends RamPolicy {
  /** Of the default version, the only one that counts. */
  document: PolicyDocument;
  /** Oldest first. */
  versions: PolicyVersion[];
  defaultVersion: string;
  /** Versions that were ever created: a number is not used again. */
  versionCount: number;
  tags: Map<string, string>;
  updatedAt: number;
}

/** The custom policies of an account. Their names are case-insensitive. */
export class Policies {
  private readonly kept = new Map<string, KeptPolicy>();

  constructor(private readonly now: () => number) {}

  create({ policyName, policyDocument, description = "" }: { policyName: string; policyDocument: string; description?: string }) {
    assertPolicyName(policyName);
    assertDescription(description);
    const document = parsePolicyDocument(policyDocument);
    const key = policyName.toLowerCase();
    if (this.kept.has(key)) throw new ApiError(409, "EntityAlreadyExists.Policy", `The policy ${policyName} already exists.`);
    const at = this.now();
    const first = { versionId: "v1", policyDocument, document, createdAt: at };
    const policy: KeptPolicy = {
      ...{ policyName, policyDocument, description, document, createDate: isoSeconds(at) },
      ...{ versions: [first], defaultVersion: first.versionId, versionCount: 1 },
      ...{ tags: new Map<string, string>(), updatedAt: at },
    };
    this.kept.set(key, policy);
    return policy;
  }

  all(): KeptPolicy[] {
    return [...this.kept.values()];
  }

  find(policyName: string): KeptPolicy | undefined {
    return this.kept.get(policyName.toLowerCase());
  }

  /** @throws ApiError 404 `EntityNotExist.Policy` */
  get(policyName: string): KeptPolicy {
    const found = this.find(policyName);
    if (found === undefined) throw new ApiError(404, "EntityNotExist.Policy", `The policy ${policyName} does not exist.`);
    return found;
  }

  /** Replaces the document by a new default version, and the oldest other version when there are too many. */
  update(policyName: string, policyDocument: string): KeptPolicy {
    this.createVersion(policyName, policyDocument, { asDefault: true, rotate: true });
    return this.get(policyName);
  }

  describe(policyName: string, description: string): KeptPolicy {
    assertDescription(description);
    const policy = this.get(policyName);
    policy.description = description;
    policy.updatedAt = this.now();
    return policy;
  }

  /** @throws ApiError 409 `LimitExceeded.Policy.Version` */
  createVersion(policyName: string, policyDocument: string, options: { asDefault: boolean; rotate: boolean }): PolicyVersion {
    const policy = this.get(policyName);
    const document = parsePolicyDocument(policyDocument);
    if (policy.versions.length >= MAX_VERSIONS) {
      const oldest = policy.versions.find(({ versionId }) => versionId !== policy.defaultVersion);
      if (!options.rotate || oldest === undefined)
        throw new ApiError(
          409,
          "LimitExceeded.Policy.Version",
          `The policy ${policyName} has ${MAX_VERSIONS} versions, which is the limit: delete one, or set RotateStrategy.`,
        );
      policy.versions.splice(policy.versions.indexOf(oldest), 1);
    }
    policy.versionCount += 1;
    const created = { versionId: `v${policy.versionCount}`, policyDocument, document, createdAt: this.now() };
    policy.versions.push(created);
    if (options.asDefault) this.setDefault(policyName, created.versionId);
    return created;
  }

  /** @throws ApiError 404 `EntityNotExist.Policy.Version` */
  version(policyName: string, versionId: string): PolicyVersion {
    const found = this.get(policyName).versions.find((one) => one.versionId === versionId);
    if (found !== undefined) return found;
    throw new ApiError(404, "EntityNotExist.Policy.Version", `The policy ${policyName} has no version ${versionId}.`);
  }

  setDefault(policyName: string, versionId: string): void {
    const policy = this.get(policyName);
    const { policyDocument, document } = this.version(policyName, versionId);
    Object.assign(policy, { policyDocument, document, defaultVersion: versionId, updatedAt: this.now() });
  }

  /** @throws ApiError 409 `DeleteConflict.Policy.Version.Default` */
  deleteVersion(policyName: string, versionId: string): void {
    const policy = this.get(policyName);
    const version = this.version(policyName, versionId);
    if (policy.defaultVersion === versionId)
      throw new ApiError(409, "DeleteConflict.Policy.Version.Default", "The default policy version cannot be deleted.");
    policy.versions.splice(policy.versions.indexOf(version), 1);
  }

  delete(policyName: string): void {
    this.get(policyName);
    this.kept.delete(policyName.toLowerCase());
  }
}

export const toRamPolicy = ({ policyName, policyDocument, description, createDate }: RamPolicy): RamPolicy => ({
  policyName,
  policyDocument,
  description,
  createDate,
});
