/** Contacts and their groups over the control API, as the vendor's client calls it. */
import { refused } from "../api/api-fixture";
import { startCms } from "./cms-fixture";

const { cms } = startCms();
const ALICE = { ContactName: "Alice", Describe: "ECS_Instance", "Channels.Mail": "alice@example.com", Lang: "en" };

test("a contact is put, described, replaced and deleted", async () => {
  expect(await cms("PutContact", ALICE)).toMatchObject({ Success: true, Code: "200" });
  await cms("PutContact", { ...ALICE, "Channels.Mail": "team@example.com" });
  const { Contacts, Total } = await cms("DescribeContactList", { ContactName: "Alice" });
  expect(Total).toBe(1);
  expect(Contacts.Contact).toEqual([{ Name: "Alice", Desc: "ECS_Instance", Channels: { Mail: "team@example.com" }, Lang: "en" }]);
  await cms("DeleteContact", { ContactName: "Alice" });
  expect(await refused(cms("DeleteContact", { ContactName: "Alice" }))).toEqual({ statusCode: 404, code: "ResourceNotFound" });
});

test("a group has contacts that exist", async () => {
  await cms("PutContact", ALICE);
  await cms("PutContactGroup", { ContactGroupName: "ops", "ContactNames.1": "Alice" });
  const { ContactGroupList } = await cms("DescribeContactGroupList", {});
  expect(ContactGroupList.ContactGroup).toMatchObject([{ Name: "ops", Contacts: { Contact: ["Alice"] } }]);
  const unknown = cms("PutContactGroup", { ContactGroupName: "ops", "ContactNames.1": "Bob" });
  expect(await refused(unknown)).toEqual({ statusCode: 404, code: "ResourceNotFound" });
});

test.each([
  ["a name with a hyphen", { ContactName: "a-b" }],
  ["no channel", { "Channels.Mail": "" }],
])("a contact with %s is refused", async (_, changes) => {
  expect(await refused(cms("PutContact", { ...ALICE, ...changes }))).toEqual({ statusCode: 400, code: "InvalidParameter" });
});
