// Feed connections: made, found, refused and deleted.
"use strict";

const assert = require("assert");
const { randomUUID } = require("crypto");
const { FeedConnection } = require("xero-node/dist/gen/model/bankfeeds/feedConnection");
const { ModelError } = require("xero-node/dist/gen/model/bankfeeds/modelError");
const { control, known, pause, point, refusal } = require("./points");
const { BAKERY, IS_OTHER, account, tenant, xero } = require("./session");

const { strictEqual: equal, deepStrictEqual: same } = assert;
const SETTLED = 450; // the simulator is told to take 300 ms
const feeds = {};

const create = (items, name = BAKERY, key) =>
  xero.bankFeedsApi.createFeedConnections(tenant(name), { items: [items].flat() }, key);

function feed(changes = {}) {
  return { accountToken: randomUUID(), accountNumber: "20454555779911", accountType: "BANK", currency: "GBP", ...changes };
}

// Refused as a whole with 400; each item has its own error.
async function rejected(promise, type, status) {
  const { body } = await refusal(promise, 400);
  const [item] = body.items;
  equal(item.status, "REJECTED");
  equal(item.error.type, type);
  equal(item.error.status, status);
  known(ModelError.TypeEnum, item.error.type);
}

point("a feed connection by number is PENDING at first", async () => {
  const { response, body } = await create(feed({ accountToken: "token-current" }));
  equal(response.status, 202);
  same([body.items[0].status, body.items[0].accountToken], ["PENDING", "token-current"]);
  feeds.current = body.items[0].id;
  equal(feeds.current.startsWith("x"), IS_OTHER);
});

point("it has no status once it is active", async () => {
  await pause(SETTLED);
  const { body } = await xero.bankFeedsApi.getFeedConnection(tenant(), feeds.current);
  equal(body.status, undefined);
  equal(body.accountId, account("Business Current Account"));
  known(FeedConnection.AccountTypeEnum, body.accountType);
  same([body.currency, body.country], ["GBP", "GB"]);
});

point("feed connections by account id, several in one call", async () => {
  const byId = (name, more) => feed({ accountNumber: undefined, accountId: account(name), ...more });
  const { body } = await create([
    byId("Business Savings Account"), byId("Euro Account", { currency: "EUR" }),
    byId("Business Visa", { accountType: "CREDITCARD" }),
  ]);
  same(body.items.map((one) => one.status), ["PENDING", "PENDING", "PENDING"]);
  feeds.savings = body.items[0].id;
  await pause(SETTLED);
});

point("a number that matches nothing makes an account", async () => {
  const { body } = await create(feed({ accountNumber: "99887766554433", accountName: "New Account", country: "GB" }));
  await pause(SETTLED);
  feeds.made = body.items[0].id;
  const found = await xero.bankFeedsApi.getFeedConnection(tenant(), feeds.made);
  equal(found.body.accountName, "New Account");
  const { body: one } = await xero.accountingApi.getAccount(tenant(), found.body.accountId);
  equal(one.accounts[0].name, "New Account");
});

point("feed connections are listed in pages", async () => {
  const { response, body } = await xero.bankFeedsApi.getFeedConnections(tenant());
  equal(response.status, IS_OTHER ? 202 : 200);
  equal(body.items.length, 5);
  const second = await xero.bankFeedsApi.getFeedConnections(tenant(), 2, 2);
  const { page, pageSize, pageCount, itemCount } = second.body.pagination;
  same([page, pageSize, pageCount, itemCount], [2, 2, 3, 2]);
  same(second.body.items.map((one) => one.id), body.items.slice(2, 4).map((one) => one.id));
  same((await xero.bankFeedsApi.getFeedConnections(tenant(), 9, 2)).body.items, []);
});

point("feed connections of another organisation are not listed", async () => {
  same((await xero.bankFeedsApi.getFeedConnections(tenant("Archive Ltd"))).body.items, []);
  const { body } = await refusal(xero.bankFeedsApi.getFeedConnection(tenant("Archive Ltd"), feeds.current), 404);
  equal(body.type, "bank-feed-not-found");
});

point("an unknown feed connection is a 404 problem", async () => {
  for (const id of [randomUUID(), "no-guid"]) {
    const { body, headers } = await refusal(xero.bankFeedsApi.getFeedConnection(tenant(), id), 404);
    equal(body.type, "bank-feed-not-found");
    equal(headers["content-type"].split(";")[0], "application/problem+json");
  }
});

point("a second feed of an account is a 400 with a 409 inside", async () => {
  await rejected(create(feed()), "feed-already-connected-in-current-organisation", 409);
});

point("a token that another organisation uses", async () => {
  const ask = create(feed({ accountToken: "token-current", accountNumber: "40404087650000" }), "Archive Ltd");
  await rejected(ask, "feed-connected-in-different-organisation", 409);
});

point("missing and malformed fields", async () => {
  await rejected(create(feed({ accountNumber: undefined })), "invalid-request", 400);
  await rejected(create(feed({ accountNumber: "1".repeat(41) })), "invalid-request", 400);
  await rejected(create(feed({ accountType: "CREDITCARD", accountNumber: "12345" })), "invalid-request", 400);
});

point("another currency than the organisation has", async () => {
  await rejected(create(feed({ accountNumber: "1234", currency: "JPY" })), "invalid-organisation-multi-currency", 403);
});

point("an archived account", async () => {
  const old = feed({ accountNumber: undefined, accountId: account("Old Account", "Archive Ltd") });
  await rejected(create(old, "Archive Ltd"), "account-not-valid", 422);
});

point("a country of another region: multi-region and not", async () => {
  const body = feed({ accountNumber: "7766554433", country: "NZ" });
  await control("PUT", "app", { multiRegion: false });
  await rejected(create(body), "invalid-country-specified", 400);
  await control("PUT", "app", { multiRegion: true });
  const found = await create({ ...body, accountNumber: "776655443322", country: "NZ", currency: "NZD" }, "Dental Auckland");
  equal(found.body.items[0].status, "PENDING");
});

point("one good and one bad in one call", async () => {
  const { response, body } = await create([feed({ accountNumber: "5544332211" }), feed()]);
  equal(response.status, 202);
  same(body.items.map((one) => one.status), ["PENDING", "REJECTED"]);
  feeds.spare = body.items[0].id;
});

point("a user whose role is too low", async () => {
  const { body } = await refusal(create(feed({ accountNumber: "40404012345678" }), "Read Only Ltd"), 403);
  equal(body.type, "invalid-user-role");
});

point("an organisation without bank feeds, and an app without them", async () => {
  await control("PUT", `orgs/${tenant("Maple Toronto")}`, { bankFeeds: false, feedConnectionsAllowed: false });
  const { body } = await refusal(create(feed({ currency: "CAD" }), "Maple Toronto"), 403);
  equal(body.type, "invalid-organisation-bank-feeds");
  known(ModelError.TypeEnum, body.type);
  await control("PUT", "app", { bankFeedsEnabled: false });
  const ask = refusal(create(feed()), 403).finally(() => control("PUT", "app", { bankFeedsEnabled: true }));
  equal((await ask).body.type, "invalid-application");
});

point("the same Idempotency-Key gives the same answer", async () => {
  const body = feed({ accountNumber: "6655443322" });
  const key = randomUUID();
  const [first, second] = [await create(body, BAKERY, key), await create(body, BAKERY, key)];
  equal(first.body.items[0].id, second.body.items[0].id);
});

point("a feed connection is deleted, a while later", async () => {
  const remove = (id) => xero.bankFeedsApi.deleteFeedConnections(tenant(), { items: [{ id }] });
  const { response, body } = await remove(feeds.spare);
  equal(response.status, 202);
  equal(body.items[0].status, "PENDING");
  await pause(SETTLED);
  await refusal(xero.bankFeedsApi.getFeedConnection(tenant(), feeds.spare), 404);
  const again = await refusal(remove(feeds.spare), 400);
  equal(again.body.items[0].error.type, "feed-not-found-or-already-deleted");
});

point("a feed connection of another organisation is not deleted", async () => {
  const ask = xero.bankFeedsApi.deleteFeedConnections(tenant("Archive Ltd"), { items: [{ id: feeds.current }] });
  const { body } = await refusal(ask, 400);
  equal(body.items[0].error.type, "feed-connected-in-different-organisation");
});

module.exports = { SETTLED, create, feed, feeds };
