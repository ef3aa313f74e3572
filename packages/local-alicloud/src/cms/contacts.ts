/**
 * Contacts of CloudMonitor and their groups, which are kept and notified of nothing. They belong to the account, not to a region.
 * https://www.alibabacloud.com/help/en/cms/developer-reference/api-cms-2019-01-01-putcontact
 */
import type { RpcCall, RpcOperation } from "../api/rpc-api";
import { invalidParameter } from "../api/rpc-parameters";
import { ApiError } from "../contracts";
import type { Records, SettingRecords, Settings } from "../records";

/** In the place of a region. */
const ACCOUNT = "account";
/** https://www.alibabacloud.com/help/en/ros/developer-reference/aliyun-cms-contact */
const NAME = /^\p{L}[\p{L}\p{N}._]{1,39}$/u;
const CHANNELS = ["SMS", "Mail", "AliIM", "DingWebHook"] as const;
const OK = { Success: true, Code: "200", Message: "The request was successfully processed." };

export function contactOperations(
  { contacts, contactGroups }: Pick<SettingRecords, "contacts" | "contactGroups">,
  permit: (call: RpcCall) => void,
): Record<string, RpcOperation> {
  return {
    PutContact: (call) => {
      permit(call);
      const { parameters } = call;
      const [name, Desc] = [parameters.required("ContactName"), parameters.required("Describe")];
      if (!NAME.test(name)) throw invalidParameter("ContactName", "it must be 2 to 40 of letters, digits, . and _");
      const found = CHANNELS.flatMap((channel) => {
        const value = parameters.text(`Channels.${channel}`);
        return value === undefined ? [] : [[channel, value] as const];
      });
      if (found.length === 0) throw invalidParameter("Channels", `it needs one of ${CHANNELS.join(", ")}`);
      put(contacts, name, { Name: name, Desc, Channels: Object.fromEntries(found), Lang: parameters.text("Lang") ?? "" });
      return OK;
    },
    DescribeContactList: (call) => {
      permit(call);
      const wanted = call.parameters.text("ContactName");
      const Contact = all(contacts).filter(({ Name }) => wanted === undefined || Name === wanted);
      return { ...OK, Total: Contact.length, Contacts: { Contact } };
    },
    DeleteContact: (call) => {
      permit(call);
      remove(contacts, call.parameters.required("ContactName"));
      return OK;
    },
    PutContactGroup: (call) => {
      permit(call);
      const { parameters } = call;
      const name = parameters.required("ContactGroupName");
      const names = parameters.list("ContactNames");
      for (const one of names) existing(contacts, one);
      put(contactGroups, name, { Name: name, Describe: parameters.text("Describe") ?? "", Contacts: { Contact: names } });
      return OK;
    },
    DescribeContactGroupList: (call) => {
      permit(call);
      const ContactGroup = all(contactGroups);
      return { ...OK, Total: ContactGroup.length, ContactGroupList: { ContactGroup } };
    },
    DeleteContactGroup: (call) => {
      permit(call);
      remove(contactGroups, call.parameters.required("ContactGroupName"));
      return OK;
    },
  };
}

function put(kept: Records<Settings>, name: string, settings: Record<string, unknown>): void {
  if (kept.get(ACCOUNT, name) === undefined) kept.create(ACCOUNT, name, { settings });
  else kept.update(ACCOUNT, name, { settings });
}

const all = (kept: Records<Settings>): Record<string, unknown>[] =>
  kept.names(ACCOUNT).flatMap((name): Record<string, unknown>[] => {
    const found = kept.get(ACCOUNT, name);
    return found === undefined ? [] : [found.settings];
  });

function existing(kept: Records<Settings>, name: string): void {
  if (kept.get(ACCOUNT, name) === undefined) throw new ApiError(404, "ResourceNotFound", `${name} is not found.`);
}

function remove(kept: Records<Settings>, name: string): void {
  existing(kept, name);
  kept.delete(ACCOUNT, name);
}
