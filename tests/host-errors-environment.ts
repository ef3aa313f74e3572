import { TestEnvironment } from "jest-environment-node";

/**
 * Errors of Node's own modules come from outside jest's realm, so `instanceof Error` is false for them inside it. The AWS SDK
 * asks exactly that, and would hide the codes of connection errors; here it sees what it sees in production.
 */
export default class HostErrorsEnvironment extends TestEnvironment {
  override async setup(): Promise<void> {
    await super.setup();
    this.global.Error = Error;
  }
}
