/** Programs test themselves with mocks of Pulumi. A resource has no outputs then unless the mocks give them. */
import * as pulumi from "@pulumi/pulumi";

/** The host of a resource whose mock gives none. It never resolves. https://www.rfc-editor.org/rfc/rfc2606#section-2 */
export const UNKNOWN_HOST = "unknown.invalid";
export const UNKNOWN_URL = `https://${UNKNOWN_HOST}`;

export const isMocked = (): boolean => "mocks" in Object(pulumi.runtime.getMonitor());

const hasGap = (value: unknown): boolean =>
  value === undefined || (typeof value === "object" && value !== null && Object.values(value).some(hasGap));

/** Whether outputs are missing that every cloud gives, so that nothing can be made of the values. */
export const isIncomplete = (values: unknown): boolean => isMocked() && hasGap(values);
