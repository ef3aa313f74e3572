import { createRecords } from "../src/records";

interface Project {
  description: string;
  tags: string[];
}

const refusal = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    const { status, code } = error as { status: number; code: string };
    return { status, code };
  }
  throw new Error("it was not refused");
};

test("stores one record per region and name, and returns copies", () => {
  const projects = createRecords<Project>("Project");
  const given = { description: "a", tags: ["x"] };
  projects.create("cn-shanghai", "p", given);
  projects.create("us-west-1", "p", { description: "b", tags: [] });
  given.tags.push("y");
  projects.get("cn-shanghai", "p")?.tags.push("z");
  expect(projects.get("cn-shanghai", "p")).toEqual({ description: "a", tags: ["x"] });
  expect(projects.get("us-west-1", "p")?.description).toBe("b");
});

test("updates the given fields", () => {
  const projects = createRecords<Project>("Project");
  projects.create("cn-shanghai", "p", { description: "a", tags: ["x"] });
  expect(projects.update("cn-shanghai", "p", { description: "c" })).toEqual({ description: "c", tags: ["x"] });
  expect(projects.get("cn-shanghai", "p")).toEqual({ description: "c", tags: ["x"] });
  projects.delete("cn-shanghai", "p");
  expect(projects.get("cn-shanghai", "p")).toBeUndefined();
});

test("refuses to create an existing record and to use a missing one", () => {
  const projects = createRecords<Project>("Project");
  projects.create("cn-shanghai", "p", { description: "a", tags: [] });
  const again = () => projects.create("cn-shanghai", "p", { description: "b", tags: [] });
  expect(refusal(again)).toEqual({ status: 409, code: "ProjectAlreadyExist" });
  expect(projects.get("cn-shanghai", "p")?.description).toBe("a");
  const missing = { status: 404, code: "ProjectNotExist" };
  expect(refusal(() => projects.update("us-west-1", "p", {}))).toEqual(missing);
  expect(refusal(() => projects.delete("cn-shanghai", "q"))).toEqual(missing);
});
