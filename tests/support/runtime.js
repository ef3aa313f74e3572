/**
 * jest loads every module anew for every test file. The modules named here are loaded once per worker process instead: they are large,
 * and no test changes them.
 */
const { createRequire } = require("node:module");
const { default: Runtime } = require("jest-runtime");

/** The last two build the messages that Pulumi sends: there must be one copy of their classes. */
const SHARED = /^(@pulumi\/(pulumi|aws|alicloud)|typescript|google-protobuf|@grpc\/grpc-js)(\/|$)/;

/**
 * Pulumi keeps a stack trace of every promise and every resource, for its messages about leaked promises and for Pulumi Cloud. With
 * jest's source maps this took five sixths of the time of the component tests.
 */
function keepNoStackTraces() {
  require("@pulumi/pulumi/runtime/debuggable").debuggablePromise = (promise) => promise;
  require("@pulumi/pulumi").Resource.callsites = () => [];
}

let isPulumiLoaded = false;

exports.__esModule = true;
exports.default = class SharingRuntime extends Runtime {
  requireModule(from, moduleName, ...rest) {
    if (moduleName === undefined || !SHARED.test(moduleName)) return super.requireModule(from, moduleName, ...rest);
    if (!isPulumiLoaded && moduleName.startsWith("@pulumi/")) {
      isPulumiLoaded = true;
      keepNoStackTraces();
    }
    return createRequire(from)(moduleName);
  }
};
