/**
 * The part of undici that the functions use: an Agent that can make requests. The package's index also loads fetch, WebSocket, caches
 * and mocks, which are more than half of a bundle.
 */
const Agent = require("undici/lib/dispatcher/agent");
const Dispatcher = require("undici/lib/dispatcher/dispatcher");

// Adds the methods of the API to the class, as the package's index does.
Object.assign(Dispatcher.prototype, require("undici/lib/api"));

module.exports = { Agent };
