/**
 * The part of undici that the functions use: an Agent that can make requests. The package's index also loads fetch, WebSocket, caches
 * and mocks, which are more than half of a bundle.
 */
const Agent = require("undici/lib/dispatcher/agent");
const Dispatcher = require("undici/lib/dispatcher/dispatcher");

// As the index does it: the methods of the API stand beside the class.
Object.assign(Dispatcher.prototype, require("undici/lib/api"));

module.exports = { Agent };
