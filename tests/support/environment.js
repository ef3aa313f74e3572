/**
 * Node's environment of jest, for worker processes that serve many test files.
 *
 * An AsyncLocalStorage that has run once stays in Node's list until it is disabled, and Node copies every storage in that list to every
 * new promise. jest-circus makes one per test file: after fifty files a simulation took ten times as long. They are disabled here.
 *
 * Some modules live outside the context of the test file (see `runtime.js`, and Node's own modules). `instanceof` treats their arrays,
 * promises and errors as the test file's, and `console` is the test file's. In production there is only one context.
 *
 * `watchRejections` tells a test of rejections that nothing handles, and handles them. The `process` of a test file is a copy without these events.
 */
const { AsyncLocalStorage } = require("node:async_hooks");
const { types } = require("node:util");
const { TestEnvironment } = require("jest-environment-node");

const CLASSES = {
  Array: Array.isArray,
  Date: types.isDate,
  Error: types.isNativeError,
  Function: (value) => typeof value === "function",
  Map: types.isMap,
  Promise: types.isPromise,
  RegExp: types.isRegExp,
  Set: types.isSet,
};

function joinClasses(context) {
  const ordinary = Function.prototype[Symbol.hasInstance];
  for (const [name, isOne] of Object.entries(CLASSES)) {
    const builtin = context[name];
    Object.defineProperty(builtin, Symbol.hasInstance, {
      configurable: true,
      value(instance) {
        return ordinary.call(this, instance) || (this === builtin && isOne(instance));
      },
    });
  }
}

/** @returns a function that ends it */
function watchRejections(onRejection) {
  const listener = (reason, promise) => {
    // Without it jest counts the rejection as a failure of the test.
    promise.catch(() => undefined);
    onRejection(reason);
  };
  process.on("unhandledRejection", listener);
  return () => process.off("unhandledRejection", listener);
}

/** One per process, however often jest loads this module: the storages that ran in the current test file, and its globals. */
function joinProcess() {
  const shared = { storages: new Set(), global: undefined };
  for (const method of ["run", "enterWith"]) {
    const original = AsyncLocalStorage.prototype[method];
    AsyncLocalStorage.prototype[method] = function (...args) {
      shared.storages.add(this);
      return original.apply(this, args);
    };
  }
  for (const method of ["debug", "info", "log", "warn"]) {
    const original = console[method].bind(console);
    console[method] = (...args) => (shared.global ? shared.global.console[method](...args) : original(...args));
  }
  joinClasses(globalThis);
  return shared;
}

const KEY = Symbol.for("crossborderbridge.tests");
globalThis[KEY] ??= joinProcess();
const shared = globalThis[KEY];

module.exports = class Environment extends TestEnvironment {
  async setup() {
    await super.setup();
    joinClasses(this.global);
    shared.global = this.global;
    this.global.watchRejections = watchRejections;
  }

  async teardown() {
    shared.global = undefined;
    for (const storage of shared.storages) storage.disable();
    shared.storages.clear();
    await super.teardown();
  }
};
