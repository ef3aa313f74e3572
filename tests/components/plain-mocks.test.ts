/** A program's own tests, whose mocks know nothing about the clouds: resources give back their inputs, and functions nothing. */
import type * as pulumi from "@pulumi/pulumi";
import { recordResources } from "../support/record-resources";
import { declare, quietly } from "./bridge-fixture";
import { GROUPS } from "./variants";

beforeEach(quietly);

/** As in Pulumi's guide. https://www.pulumi.com/docs/iac/concepts/testing/unit/ */
const MOCKS: Record<string, pulumi.runtime.Mocks> = {
  "inputs as state": {
    newResource: ({ name, inputs }) => ({ id: `${name}_id`, state: inputs }),
    call: ({ inputs }) => inputs,
  },
  "no outputs at all": { newResource: ({ name }) => ({ id: `${name}_id`, state: {} }), call: () => ({}) },
};

describe.each(Object.entries(MOCKS))("%s", (_, mocks) => {
  describe.each(Object.entries(GROUPS))("%s", (_group, variants) => {
    test.each(Object.entries(variants))("%s", async (_name, variation) => {
      const { resources, get } = await recordResources(() => declare("b", variation), { mocks });
      expect(get("b", "crossborder:index:CrossBorderBridge").outputsRegistered).toBe(true);
      expect(resources.length).toBeGreaterThan(5);
    });
  });
});
