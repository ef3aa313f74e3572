import { InvalidArgumentError } from "commander";
import { parseSizes, sizeText } from "../../../operator/probe/sizes";

test("sizes in any order, each once, the smallest first", () => {
  expect(parseSizes("1MiB, 128KiB,0B,128KiB,1.5MiB,100 B")).toEqual([0, 100, 131_072, 1_048_576, 1_572_864]);
});

test.each([
  ["128KB", '"KB" in "128KB" is not a unit of this command; allowed: B, KiB, MiB.'],
  ["1GiB", '"GiB" in "1GiB" is not a unit of this command; allowed: B, KiB, MiB.'],
  ["128kib", '"kib" in "128kib" is not a unit of this command; allowed: B, KiB, MiB.'],
  ["128", "128 has no unit; allowed: B, KiB, MiB."],
  ["1MiB,", '"" is not a size; write a number and its unit, such as 512KiB.'],
  ["-1KiB", '"-1KiB" is not a size; write a number and its unit, such as 512KiB.'],
  ["0.3B", "0.3B is not a whole number of bytes."],
  ["65MiB", "65MiB is more than a prober can hold; at most 64 MiB."],
  [Array.from({ length: 17 }, (_, index) => `${index}KiB`).join(","), "These are 17 sizes; at most 16 fit."],
])("refuses %s", (text, message) => {
  expect(() => parseSizes(text)).toThrow(new InvalidArgumentError(message));
});

test.each([
  [0, "0 B"],
  [1000, "1000 B"],
  [131_072, "128 KiB"],
  [1_572_864, "1.5 MiB"],
  [1_048_577, "1048577 B"],
  [67_108_864, "64 MiB"],
])("%d bytes are shown as %s", (sizeBytes, text) => {
  expect(sizeText(sizeBytes)).toBe(text);
});
