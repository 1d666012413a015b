// Consent, tokens and connections. Those that end something are in ends.js.
"use strict";

const assert = require("assert");
const { claims, consent, control, point, refusal } = require("./points");
const { BAKERY, IS_OTHER, ORGANISATIONS, learn, newClient, tenant, xero } = require("./session");

const { strictEqual: equal, deepStrictEqual: same } = assert;

point("discovery", async () => {
  await learn();
  await xero.initialize();
  equal(xero.openIdClient.issuer.metadata.issuer, "https://identity.xero.com");
});

point("the consent page has a host of its own", async () => {
  const url = new URL(await xero.buildConsentUrl());
  equal(url.hostname === "login.localhost", IS_OTHER);
  equal(url.searchParams.get("state"), "state-1");
});

point("consent and code exchange, with an id token that is checked", async () => {
  const back = await consent(await xero.buildConsentUrl(), ORGANISATIONS.map(tenant));
  const tokens = await xero.apiCallback(back);
  assert.ok(tokens.access_token && tokens.refresh_token && tokens.id_token);
  equal(tokens.expired(), false);
});

point("a code is good once", async () => {
  const other = newClient();
  const back = await consent(await other.buildConsentUrl(), [tenant()]);
  await other.apiCallback(back);
  await assert.rejects(other.apiCallback(back), { error: "invalid_grant" });
});

point("a refused consent comes back as access_denied", async () => {
  const other = newClient();
  const url = await other.buildConsentUrl();
  const { headers } = await refused(url);
  await assert.rejects(other.apiCallback(headers.location), { error: "access_denied" });
});

point("another state is refused by the client", async () => {
  const other = newClient();
  const back = await consent(await other.buildConsentUrl(), [tenant()]);
  await assert.rejects(other.apiCallback(back.replace("state-1", "state-2")), /state mismatch/);
});

point("the id token's claims", async () => {
  const found = xero.readTokenSet().claims();
  equal(found.idp, "local");
  for (const name of ["xero_userid", "preferred_username", "email", "given_name", "family_name", "at_hash"])
    assert.ok(found[name], name);
});

point("the access token's claims", async () => {
  const found = claims(xero.readTokenSet().access_token);
  equal("idp" in found, IS_OTHER);
  equal(found.aud, "https://identity.xero.com/resources");
  assert.ok(found.authentication_event_id && Array.isArray(found.scope));
});

point("userinfo", async () => {
  const found = await xero.openIdClient.userinfo(xero.readTokenSet().access_token);
  equal(found.sub, xero.readTokenSet().claims().sub);
});

point("connections without details", async () => {
  const found = await xero.updateTenants(false);
  equal(found.length, ORGANISATIONS.length);
  same(Object.keys(found[0]).sort(), [
    "authEventId", "createdDateUtc", "id", "tenantId", "tenantName", "tenantType", "updatedDateUtc",
  ]);
  assert.ok(!Number.isNaN(Date.parse(found[0].updatedDateUtc)));
});

point("tenant types", async () => {
  const types = Object.fromEntries(xero.tenants.map((one) => [one.tenantName, one.tenantType]));
  equal(types[BAKERY], "ORGANISATION");
  equal(types["Ledger Practice"], "PRACTICE");
});

point("ids of connections are text", async () => {
  equal(xero.tenants[0].id.startsWith("x"), IS_OTHER);
});

point("connections with the details of each organisation", async () => {
  const found = await xero.updateTenants();
  for (const one of found) equal(one.orgData.name, one.tenantName);
});

point("a refresh brings a new pair", async () => {
  const before = xero.readTokenSet();
  const after = await xero.refreshToken();
  assert.notStrictEqual(before.refresh_token, after.refresh_token);
  assert.notStrictEqual(before.access_token, after.access_token);
  equal((await xero.updateTenants(false)).length, ORGANISATIONS.length);
});

point("a refresh token that was replaced is good for a while", async () => {
  const other = newClient();
  const { refresh_token: before } = xero.readTokenSet();
  await xero.refreshToken();
  await other.refreshWithRefreshToken(process.env.CLIENT_ID, process.env.CLIENT_SECRET, before);
  xero.setTokenSet(other.readTokenSet());
});

point("a refresh without OpenID", async () => {
  const { refresh_token: before } = xero.readTokenSet();
  await xero.refreshWithRefreshToken(process.env.CLIENT_ID, process.env.CLIENT_SECRET, before);
  assert.notStrictEqual(before, xero.readTokenSet().refresh_token);
});

point("an unknown refresh token is invalid_grant", async () => {
  const other = newClient();
  const ask = other.refreshWithRefreshToken(process.env.CLIENT_ID, process.env.CLIENT_SECRET, "unknown");
  same((await refusal(ask, 400)).body, { error: "invalid_grant" });
});

point("a wrong secret is invalid_client", async () => {
  const ask = newClient().refreshWithRefreshToken(process.env.CLIENT_ID, "wrong", xero.readTokenSet().refresh_token);
  same((await refusal(ask, 400)).body, { error: "invalid_client" });
});

async function refused(url) {
  await control("PUT", "consent", { mode: "deny" });
  const http = require("http");
  return new Promise((resolve, reject) => http.get(url, resolve).on("error", reject));
}
