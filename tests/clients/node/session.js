// The client and what it is connected to, for all its points.
"use strict";

const { XeroClient } = require("xero-node");
const { organisations } = require("./points");

const IS_OTHER = process.env.WORLD === "other";
const BAKERY = "Harbour Bakery Ltd";
const REGIONS = JSON.parse(process.env.REGIONS);
const ORGANISATIONS = [BAKERY, "Northwind Joinery", "Ledger Practice", "Read Only Ltd", "Archive Ltd", ...REGIONS];

function newClient(changes = {}) {
  return new XeroClient({
    clientId: process.env.CLIENT_ID,
    clientSecret: process.env.CLIENT_SECRET,
    redirectUris: ["https://app.example/callback"],
    scopes: "openid profile email offline_access accounting.settings bankfeeds".split(" "),
    state: "state-1",
    ...changes,
  });
}

const xero = newClient();
let all = {};

async function learn() {
  all = await organisations();
}

const tenant = (name = BAKERY) => all[name].tenantId;
const account = (name, of = BAKERY) => all[of].accounts.find((one) => one.name === name).accountId;
const organisation = (name) => all[name];

module.exports = { BAKERY, IS_OTHER, ORGANISATIONS, REGIONS, account, learn, newClient, organisation, tenant, xero };
