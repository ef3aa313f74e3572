/** A second account of AWS Global: that of every provider in one region, for tests that mock `../support/mock-aws` by it. */
import type * as pulumi from "@pulumi/pulumi";
import type * as mockAws from "../../../support/mock-aws";

export const ELSEWHERE = { region: "ap-southeast-2", account: "999999999999" } as const;

const isElsewhere = ({ provider }: { provider?: string | undefined }) => provider?.endsWith(`::${ELSEWHERE.region}`) === true;
const moved = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll("111111111111", ELSEWHERE.account)) as T;

export const withSecondAccount = ({ answerInvoke, deploy }: typeof mockAws): typeof mockAws => ({
  answerInvoke: (args: pulumi.runtime.MockCallArgs) => (isElsewhere(args) ? moved(answerInvoke(args)) : answerInvoke(args)),
  deploy: (args: pulumi.runtime.MockResourceArgs) => {
    const { id, state } = deploy(args);
    // The inputs stay what the program gave.
    return { id, state: isElsewhere(args) ? { ...moved(state), ...args.inputs } : state };
  },
});
