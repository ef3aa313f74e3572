/** The network of `egress: static`. The emulator stores it, but its functions do not run in it. */
import {
  AllocateAddressCommand,
  AttachInternetGatewayCommand,
  type ConnectivityType,
  CreateInternetGatewayCommand,
  CreateNatGatewayCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteInternetGatewayCommand,
  DeleteNatGatewayCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  DetachInternetGatewayCommand,
  ModifySubnetAttributeCommand,
  ModifyVpcAttributeCommand,
  ReleaseAddressCommand,
  waitUntilNatGatewayAvailable,
  waitUntilNatGatewayDeleted,
} from "@aws-sdk/client-ec2";
import { type AwsContext, arnOf, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { putEc2Tags, tagSpecification } from "../tags";

export const vpc = resource({
  token: "aws:ec2/vpc:Vpc",
  inputs: { "cidrBlock!": "string", enableDnsHostnames: "boolean", enableDnsSupport: "boolean", tags: "map" },
  computed: ["arn", "defaultNetworkAclId", "defaultRouteTableId", "defaultSecurityGroupId", "mainRouteTableId", "ownerId"],
  defaults: { enableDnsHostnames: false, enableDnsSupport: true, instanceTenancy: "default" },
  replaceOn: ["cidrBlock", "region"],
  create: async (context, given) => {
    const { ec2 } = clientsOf(context);
    const { Vpc } = await ec2.send(
      new CreateVpcCommand({ CidrBlock: given.cidrBlock, TagSpecifications: tagSpecification("vpc", given) }),
    );
    const id = Vpc?.VpcId ?? "";
    await setDns(context, id, given);
    return id;
  },
  read: async (context, id) => {
    const call = new DescribeVpcsCommand({ VpcIds: [id] });
    const found = (await unlessMissing(clientsOf(context).ec2.send(call)))?.Vpcs?.[0];
    return found && { arn: arnOf(context, "ec2", `vpc/${id}`), ownerId: context.accountId };
  },
  update: async (context, id, news, olds) => {
    await setDns(context, id, news);
    await putEc2Tags(context, id, news, olds);
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).ec2.send(new DeleteVpcCommand({ VpcId: id }))),
});

async function setDns(
  context: AwsContext,
  VpcId: string,
  given: { enableDnsHostnames?: boolean | undefined; enableDnsSupport?: boolean | undefined },
): Promise<void> {
  const { ec2 } = clientsOf(context);
  // A call takes one attribute.
  await ec2.send(new ModifyVpcAttributeCommand({ VpcId, EnableDnsSupport: { Value: given.enableDnsSupport ?? true } }));
  await ec2.send(new ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: given.enableDnsHostnames ?? false } }));
}

export const subnet = resource({
  token: "aws:ec2/subnet:Subnet",
  inputs: {
    "vpcId!": "string",
    "cidrBlock!": "string",
    availabilityZone: "string",
    mapPublicIpOnLaunch: "boolean",
    tags: "map",
  },
  computed: ["arn", "ownerId"],
  defaults: { mapPublicIpOnLaunch: false },
  replaceOn: ["vpcId", "cidrBlock", "availabilityZone", "region"],
  create: async (context, given) => {
    const { Subnet } = await clientsOf(context).ec2.send(
      new CreateSubnetCommand({
        VpcId: given.vpcId,
        CidrBlock: given.cidrBlock,
        AvailabilityZone: given.availabilityZone,
        TagSpecifications: tagSpecification("subnet", given),
      }),
    );
    const id = Subnet?.SubnetId ?? "";
    if (given.mapPublicIpOnLaunch) await mapPublicIp(context, id, true);
    return id;
  },
  read: async (context, id) => {
    const call = new DescribeSubnetsCommand({ SubnetIds: [id] });
    const found = (await unlessMissing(clientsOf(context).ec2.send(call)))?.Subnets?.[0];
    return (
      found && {
        arn: arnOf(context, "ec2", `subnet/${id}`),
        ownerId: context.accountId,
        availabilityZone: found.AvailabilityZone,
      }
    );
  },
  update: async (context, id, news, olds) => {
    await mapPublicIp(context, id, news.mapPublicIpOnLaunch ?? false);
    await putEc2Tags(context, id, news, olds);
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).ec2.send(new DeleteSubnetCommand({ SubnetId: id }))),
});

async function mapPublicIp(context: AwsContext, SubnetId: string, Value: boolean): Promise<void> {
  await clientsOf(context).ec2.send(new ModifySubnetAttributeCommand({ SubnetId, MapPublicIpOnLaunch: { Value } }));
}

export const internetGateway = resource({
  token: "aws:ec2/internetGateway:InternetGateway",
  inputs: { vpcId: "string", tags: "map" },
  computed: ["arn", "ownerId"],
  replaceOn: ["vpcId", "region"],
  fixedIdentity: true,
  create: async (context, given) => {
    const { ec2 } = clientsOf(context);
    const TagSpecifications = tagSpecification("internet-gateway", given);
    const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({ TagSpecifications }));
    const InternetGatewayId = InternetGateway?.InternetGatewayId ?? "";
    if (given.vpcId) await ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId, VpcId: given.vpcId }));
    return InternetGatewayId;
  },
  read: async (context, id) => {
    const call = new DescribeInternetGatewaysCommand({ InternetGatewayIds: [id] });
    const found = (await unlessMissing(clientsOf(context).ec2.send(call)))?.InternetGateways?.[0];
    return found && { arn: arnOf(context, "ec2", `internet-gateway/${id}`), ownerId: context.accountId };
  },
  update: (context, id, news, olds) => putEc2Tags(context, id, news, olds),
  delete: async (context, id, { vpcId: VpcId }) => {
    const { ec2 } = clientsOf(context);
    if (VpcId) await ignoreMissing(ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId: id, VpcId })));
    await ignoreMissing(ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id })));
  },
});

export const eip = resource({
  token: "aws:ec2/eip:Eip",
  inputs: { domain: "string", tags: "map" },
  computed: ["allocationId", "arn", "publicDns", "publicIp"],
  replaceOn: ["domain", "region"],
  create: async (context, given) => {
    const TagSpecifications = tagSpecification("elastic-ip", given);
    const made = await clientsOf(context).ec2.send(new AllocateAddressCommand({ Domain: "vpc", TagSpecifications }));
    return made.AllocationId ?? "";
  },
  read: async (context, id) => {
    const call = new DescribeAddressesCommand({ AllocationIds: [id] });
    const found = (await unlessMissing(clientsOf(context).ec2.send(call)))?.Addresses?.[0];
    return found && { allocationId: id, arn: arnOf(context, "ec2", `elastic-ip/${id}`), publicIp: found.PublicIp };
  },
  update: (context, id, news, olds) => putEc2Tags(context, id, news, olds),
  delete: (context, id) => ignoreMissing(clientsOf(context).ec2.send(new ReleaseAddressCommand({ AllocationId: id }))),
});

/** The emulator's NAT gateways have no public IP. */
async function publicIpOf(context: AwsContext, allocationId: string | undefined): Promise<string | undefined> {
  if (allocationId === undefined) return undefined;
  const call = new DescribeAddressesCommand({ AllocationIds: [allocationId] });
  return (await clientsOf(context).ec2.send(call)).Addresses?.[0]?.PublicIp;
}

export const natGateway = resource({
  token: "aws:ec2/natGateway:NatGateway",
  inputs: { allocationId: "string", connectivityType: "string", "subnetId!": "string", tags: "map" },
  computed: ["privateIp", "publicIp", "networkInterfaceId"],
  defaults: { connectivityType: "public" },
  replaceOn: ["allocationId", "connectivityType", "subnetId", "region"],
  check: function* ({ connectivityType = "public", allocationId }) {
    if (connectivityType === "public" && allocationId === undefined) {
      yield { property: "allocationId", reason: "a public NAT gateway needs the allocationId of an elastic IP" };
    }
  },
  create: async (context, given) => {
    const { ec2 } = clientsOf(context);
    const { NatGateway } = await ec2.send(
      new CreateNatGatewayCommand({
        AllocationId: given.allocationId,
        ConnectivityType: given.connectivityType as ConnectivityType | undefined,
        SubnetId: given.subnetId,
        TagSpecifications: tagSpecification("natgateway", given),
      }),
    );
    const id = NatGateway?.NatGatewayId ?? "";
    await waitUntilNatGatewayAvailable({ client: ec2, maxWaitTime: 60 }, { NatGatewayIds: [id] });
    return id;
  },
  read: async (context, id, { allocationId }) => {
    const call = new DescribeNatGatewaysCommand({ NatGatewayIds: [id] });
    const found = (await unlessMissing(clientsOf(context).ec2.send(call)))?.NatGateways?.[0];
    if (found === undefined || found.State === "deleted") return undefined;
    const [address] = found.NatGatewayAddresses ?? [];
    const { PrivateIp: privateIp, NetworkInterfaceId: networkInterfaceId } = address ?? {};
    return { privateIp, publicIp: await publicIpOf(context, allocationId), networkInterfaceId };
  },
  update: (context, id, news, olds) => putEc2Tags(context, id, news, olds),
  delete: async (context, id) => {
    const { ec2 } = clientsOf(context);
    await ignoreMissing(ec2.send(new DeleteNatGatewayCommand({ NatGatewayId: id })));
    await unlessMissing(waitUntilNatGatewayDeleted({ client: ec2, maxWaitTime: 60 }, { NatGatewayIds: [id] }));
  },
});
