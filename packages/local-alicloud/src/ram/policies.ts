import { ApiError, type RamPolicy } from "../contracts";
import { assertDescription, assertPolicyName } from "./names";
import { type PolicyDocument, parsePolicyDocument } from "./policy-document";

export interface KeptPolicy extends RamPolicy {
  document: PolicyDocument;
}

/** The custom policies of an account. Their names are case-insensitive. */
export class Policies {
  private readonly kept = new Map<string, KeptPolicy>();

  create({ policyName, policyDocument, description = "" }: { policyName: string; policyDocument: string; description?: string }) {
    assertPolicyName(policyName);
    assertDescription(description);
    const document = parsePolicyDocument(policyDocument);
    const key = policyName.toLowerCase();
    if (this.kept.has(key)) throw new ApiError(409, "EntityAlreadyExists.Policy", `The policy ${policyName} already exists.`);
    const policy = { policyName, policyDocument, description, document };
    this.kept.set(key, policy);
    return policy;
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

  update(policyName: string, policyDocument: string): KeptPolicy {
    const policy = this.get(policyName);
    policy.document = parsePolicyDocument(policyDocument);
    policy.policyDocument = policyDocument;
    return policy;
  }

  delete(policyName: string): void {
    this.get(policyName);
    this.kept.delete(policyName.toLowerCase());
  }
}

export const toRamPolicy = ({ policyName, policyDocument, description }: RamPolicy): RamPolicy => ({
  policyName,
  policyDocument,
  description,
});
