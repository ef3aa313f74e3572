/** The resource types of the local Alibaba Cloud. A new type is an entry in `resources/`; a new file there is a line here. */
import * as cms from "./resources/cms";
import * as fcConfigs from "./resources/fc-configs";
import * as fcFunction from "./resources/fc-function";
import * as fcTriggers from "./resources/fc-triggers";
import * as fnf from "./resources/fnf";
import * as log from "./resources/log";
import * as logDashboard from "./resources/log-dashboard";
import * as logIndex from "./resources/log-index";
import * as message from "./resources/message";
import * as oos from "./resources/oos";
import * as ossBucket from "./resources/oss-bucket";
import * as ossDomain from "./resources/oss-domain";
import * as ossReplication from "./resources/oss-replication";
import * as ossSettings from "./resources/oss-settings";
import * as ram from "./resources/ram";

export const RESOURCES = [
  cms,
  fcConfigs,
  fcFunction,
  fcTriggers,
  fnf,
  log,
  logDashboard,
  logIndex,
  message,
  oos,
  ossBucket,
  ossDomain,
  ossReplication,
  ossSettings,
  ram,
].flatMap((service) => Object.values(service));
