/** One fixed address for the sender's requests, so that a receiver's allowlist can name it. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, Egress } from "../cloud";

const VPC_CIDR = "10.255.0.0/24";
const PUBLIC_CIDR = "10.255.0.0/28";
/** Half of the network, because every concurrent sender may need an address. */
const PRIVATE_CIDR = "10.255.0.128/25";

/**
 * `crossborder:aws:StaticEgress`: a network with one NAT gateway in one availability zone. While the zone is down, events wait in the
 * queue and nothing is lost. A second gateway would double the fixed cost. No object bytes pass through it, because the receiver's side
 * reads them from the store.
 */
export class StaticEgress extends pulumi.ComponentResource implements Egress {
  readonly cidrs: pulumi.Output<string>[];
  readonly subnetIds: pulumi.Output<string>[];
  readonly securityGroupIds: pulumi.Output<string>[];
  /** Resources that must exist before a function can send requests. */
  readonly ready: pulumi.Resource[];

  constructor(context: BridgeContext) {
    const name = `${context.name}-egress`;
    super("crossborder:aws:StaticEgress", name, {}, { parent: context.parent });
    const child = { parent: this, provider: context.provider };
    const tags = { Name: `crossborderbridge-${context.config.name}` };

    const vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      { cidrBlock: VPC_CIDR, enableDnsSupport: true, enableDnsHostnames: true, tags },
      child,
    );
    const internet = new aws.ec2.InternetGateway(`${name}-internet`, { vpcId: vpc.id, tags }, child);
    const publicSubnet = this.createSubnet(`${name}-public`, { vpcId: vpc.id, cidrBlock: PUBLIC_CIDR, tags }, child);
    const publicRoute = publicSubnet.routeTo({ gatewayId: internet.id });
    const address = new aws.ec2.Eip(`${name}-address`, { domain: "vpc", tags }, { ...child, dependsOn: [internet] });
    const gateway = new aws.ec2.NatGateway(
      `${name}-gateway`,
      { allocationId: address.id, subnetId: publicSubnet.subnet.id, tags },
      { ...child, dependsOn: [publicRoute] },
    );
    const privateSubnet = this.createSubnet(
      `${name}-private`,
      // In the gateway's zone: traffic between zones costs money, and with two zones a failure of either would stop the sender.
      { vpcId: vpc.id, cidrBlock: PRIVATE_CIDR, availabilityZone: publicSubnet.subnet.availabilityZone, tags },
      child,
    );
    const privateRoute = privateSubnet.routeTo({ natGatewayId: gateway.id });
    const group = new aws.ec2.SecurityGroup(
      `${name}-group`,
      { vpcId: vpc.id, description: `Sender of bridge ${context.config.name}: HTTPS out, nothing in`, tags },
      child,
    );
    const https = new aws.vpc.SecurityGroupEgressRule(
      `${name}-https`,
      { securityGroupId: group.id, ipProtocol: "tcp", fromPort: 443, toPort: 443, cidrIpv4: "0.0.0.0/0", description: "HTTPS" },
      child,
    );

    this.cidrs = [pulumi.interpolate`${address.publicIp}/32`];
    this.subnetIds = [privateSubnet.subnet.id];
    this.securityGroupIds = [group.id];
    this.ready = [privateRoute, https];
    this.registerOutputs({ cidrs: this.cidrs });
  }

  /** Creates a subnet. `routeTo` adds its default route and returns the association that functions must wait for. */
  private createSubnet(name: string, args: aws.ec2.SubnetArgs, child: pulumi.CustomResourceOptions) {
    const subnet = new aws.ec2.Subnet(name, args, child);
    const { vpcId, tags } = args;
    const routeTo = (target: { gatewayId: pulumi.Output<string> } | { natGatewayId: pulumi.Output<string> }) => {
      const table = new aws.ec2.RouteTable(`${name}-routes`, { vpcId, ...(tags === undefined ? {} : { tags }) }, child);
      const route = new aws.ec2.Route(
        `${name}-way-out`,
        { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", ...target },
        child,
      );
      return new aws.ec2.RouteTableAssociation(
        `${name}-association`,
        { routeTableId: table.id, subnetId: subnet.id },
        { ...child, dependsOn: [route] },
      );
    };
    return { subnet, routeTo };
  }
}
