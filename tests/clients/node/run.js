// xero-node, Xero's own: identity, accounting and bank feeds.
"use strict";

require("./diversion");
const { run } = require("./points");

require("./identity");
require("./accounting");
require("./feeds");
require("./statements");
require("./ends");

run();
