import { PolicyPack } from "@pulumi/policy";
import { POLICIES } from "./src/policies";

new PolicyPack("crossborderbridge", { policies: [...POLICIES] });
