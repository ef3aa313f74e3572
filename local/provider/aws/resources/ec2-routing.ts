import {
  AssociateRouteTableCommand,
  AuthorizeSecurityGroupEgressCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  DeleteRouteCommand,
  DeleteRouteTableCommand,
  DeleteSecurityGroupCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DisassociateRouteTableCommand,
  type IpPermission,
  RevokeSecurityGroupEgressCommand,
} from "@aws-sdk/client-ec2";
import type { Infer } from "../../schema";
import { type AwsContext, arnOf, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { putEc2Tags, tagSpecification } from "../tags";

async function findRouteTable(context: AwsContext, id: string) {
  const call = new DescribeRouteTablesCommand({ RouteTableIds: [id] });
  return (await unlessMissing(clientsOf(context).ec2.send(call)))?.RouteTables?.[0];
}

export const routeTable = resource({
  token: "aws:ec2/routeTable:RouteTable",
  inputs: { "vpcId!": "string", tags: "map" },
  computed: ["arn", "ownerId"],
  replaceOn: ["vpcId", "region"],
  create: async (context, given) => {
    const TagSpecifications = tagSpecification("route-table", given);
    const made = await clientsOf(context).ec2.send(new CreateRouteTableCommand({ VpcId: given.vpcId, TagSpecifications }));
    return made.RouteTable?.RouteTableId ?? "";
  },
  read: async (context, id) =>
    (await findRouteTable(context, id)) && {
      arn: arnOf(context, "ec2", `route-table/${id}`),
      ownerId: context.accountId,
    },
  update: (context, id, news, olds) => putEc2Tags(context, id, news, olds),
  delete: (context, id) => ignoreMissing(clientsOf(context).ec2.send(new DeleteRouteTableCommand({ RouteTableId: id }))),
});

export const route = resource({
  token: "aws:ec2/route:Route",
  inputs: { "routeTableId!": "string", "destinationCidrBlock!": "string", gatewayId: "string", natGatewayId: "string" },
  computed: ["origin", "state"],
  fixedIdentity: true,
  check: function* ({ gatewayId, natGatewayId }) {
    if ((gatewayId === undefined) === (natGatewayId === undefined)) {
      yield { property: "gatewayId", reason: "a route leads to either gatewayId or natGatewayId" };
    }
  },
  create: async (context, given) => {
    await clientsOf(context).ec2.send(
      new CreateRouteCommand({
        RouteTableId: given.routeTableId,
        DestinationCidrBlock: given.destinationCidrBlock,
        GatewayId: given.gatewayId,
        NatGatewayId: given.natGatewayId,
      }),
    );
    return `r-${given.routeTableId}-${given.destinationCidrBlock}`;
  },
  read: async (context, _id, given) => {
    const table = await findRouteTable(context, given.routeTableId);
    const found = table?.Routes?.find((one) => one.DestinationCidrBlock === given.destinationCidrBlock);
    return found && { origin: found.Origin ?? "CreateRoute", state: found.State ?? "active" };
  },
  delete: (context, _id, { routeTableId: RouteTableId, destinationCidrBlock: DestinationCidrBlock }) =>
    ignoreMissing(clientsOf(context).ec2.send(new DeleteRouteCommand({ RouteTableId, DestinationCidrBlock }))),
});

export const routeTableAssociation = resource({
  token: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  inputs: { "routeTableId!": "string", "subnetId!": "string" },
  computed: [],
  fixedIdentity: true,
  create: async (context, { routeTableId: RouteTableId, subnetId: SubnetId }) => {
    const made = await clientsOf(context).ec2.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId }));
    return made.AssociationId ?? "";
  },
  read: async (context, id, { routeTableId }) => {
    const table = await findRouteTable(context, routeTableId);
    return table?.Associations?.some((one) => one.RouteTableAssociationId === id) ? {} : undefined;
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).ec2.send(new DisassociateRouteTableCommand({ AssociationId: id }))),
});

const ALL_TRAFFIC: IpPermission = { IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] };

export const securityGroup = resource({
  token: "aws:ec2/securityGroup:SecurityGroup",
  inputs: { name: "string", description: "string", vpcId: "string", revokeRulesOnDelete: "boolean", tags: "map" },
  computed: ["arn", "ownerId"],
  defaults: { description: "Managed by Pulumi", revokeRulesOnDelete: false },
  autoname: { property: "name", maxLength: 255 },
  replaceOn: ["name", "description", "vpcId", "region"],
  create: async (context, given) => {
    const { ec2 } = clientsOf(context);
    const { GroupId = "" } = await ec2.send(
      new CreateSecurityGroupCommand({
        GroupName: given.name,
        Description: given.description ?? "Managed by Pulumi",
        VpcId: given.vpcId,
        TagSpecifications: tagSpecification("security-group", given),
      }),
    );
    // A new group allows all outgoing traffic. Like the real provider, this one removes that rule.
    await ignoreMissing(ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: [ALL_TRAFFIC] })));
    return GroupId;
  },
  read: async (context, id) => {
    const call = new DescribeSecurityGroupsCommand({ GroupIds: [id] });
    const found = (await unlessMissing(clientsOf(context).ec2.send(call)))?.SecurityGroups?.[0];
    return found && { arn: arnOf(context, "ec2", `security-group/${id}`), ownerId: context.accountId };
  },
  update: (context, id, news, olds) => putEc2Tags(context, id, news, olds),
  delete: (context, id) => ignoreMissing(clientsOf(context).ec2.send(new DeleteSecurityGroupCommand({ GroupId: id }))),
});

const egressInputs = {
  "securityGroupId!": "string",
  "ipProtocol!": "string",
  cidrIpv4: "string",
  description: "string",
  fromPort: "number",
  toPort: "number",
  tags: "map",
} as const;

export const securityGroupEgressRule = resource({
  token: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  inputs: egressInputs,
  computed: ["arn", "securityGroupRuleId"],
  replaceOn: ["securityGroupId", "ipProtocol", "cidrIpv4", "description", "fromPort", "toPort", "region"],
  fixedIdentity: true,
  create: async (context, given) => {
    const made = await clientsOf(context).ec2.send(
      new AuthorizeSecurityGroupEgressCommand({
        GroupId: given.securityGroupId,
        IpPermissions: [permissionOf(given)],
        TagSpecifications: tagSpecification("security-group-rule", given),
      }),
    );
    const rule = made.SecurityGroupRules?.[0]?.SecurityGroupRuleId;
    return rule ?? `${given.securityGroupId}:${given.ipProtocol}:${given.fromPort ?? ""}:${given.cidrIpv4 ?? ""}`;
  },
  read: async (context, id, given) => {
    const call = new DescribeSecurityGroupsCommand({ GroupIds: [given.securityGroupId] });
    const group = (await unlessMissing(clientsOf(context).ec2.send(call)))?.SecurityGroups?.[0];
    const found = group?.IpPermissionsEgress?.some(
      (one) =>
        one.IpProtocol === given.ipProtocol &&
        one.FromPort === permissionOf(given).FromPort &&
        one.IpRanges?.some((range) => range.CidrIp === given.cidrIpv4),
    );
    return found ? { arn: arnOf(context, "ec2", `security-group-rule/${id}`), securityGroupRuleId: id } : undefined;
  },
  update: (context, id, news, olds) => putEc2Tags(context, id, news, olds),
  delete: (context, _id, given) => {
    const call = new RevokeSecurityGroupEgressCommand({
      GroupId: given.securityGroupId,
      IpPermissions: [permissionOf(given)],
    });
    return ignoreMissing(clientsOf(context).ec2.send(call));
  },
});

function permissionOf(given: Infer<typeof egressInputs>): IpPermission {
  return {
    IpProtocol: given.ipProtocol,
    FromPort: given.ipProtocol === "-1" ? undefined : given.fromPort,
    ToPort: given.ipProtocol === "-1" ? undefined : given.toPort,
    IpRanges: given.cidrIpv4 ? [{ CidrIp: given.cidrIpv4, Description: given.description }] : [],
  };
}
