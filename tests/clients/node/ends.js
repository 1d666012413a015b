// What ends something: scopes that lack, connections that are deleted, tokens that expire or are revoked.
"use strict";

const assert = require("assert");
const { randomUUID } = require("crypto");
const { consent, control, point, refusal } = require("./points");
const { BAKERY, IS_OTHER, ORGANISATIONS, newClient, tenant, xero } = require("./session");

const { strictEqual: equal } = assert;

point("a token without the scope is refused", async () => {
  const { userId } = await control("GET", "consent");
  await control("PUT", "consent", { userId: randomUUID() });
  const other = newClient({ scopes: ["openid", "offline_access"] });
  await other.apiCallback(await consent(await other.buildConsentUrl(), [tenant()]));
  await control("PUT", "consent", { userId });
  await refusal(other.bankFeedsApi.getFeedConnections(tenant()), IS_OTHER ? 401 : 403);
});

point("the app itself gets a token and sees all connections", async () => {
  const other = newClient({ grantType: "client_credentials", scopes: ["app.connections"] });
  await other.getClientCredentialsToken();
  assert.ok((await other.updateTenants(false)).length >= ORGANISATIONS.length);
});

point("a connection is deleted by its id", async () => {
  const [gone] = (await xero.updateTenants(false)).filter((one) => one.tenantName === "Kowloon Trading");
  await xero.disconnect(gone.id);
  assert.ok(!(await xero.updateTenants(false)).some((one) => one.id === gone.id));
  await refusal(xero.accountingApi.getOrganisations(gone.tenantId), 403);
  await assert.rejects(xero.disconnect(gone.id));
});

point("a tenant id is no connection id", async () => {
  await assert.rejects(xero.disconnect(tenant()));
  assert.ok((await xero.updateTenants(false)).some((one) => one.tenantName === BAKERY));
});

point("connected again", async () => {
  const before = (await xero.updateTenants(false)).find((one) => one.tenantName === "Marina Singapore");
  await xero.disconnect(before.id);
  await xero.apiCallback(await consent(await xero.buildConsentUrl(), [before.tenantId]));
  const after = (await xero.updateTenants(false)).find((one) => one.tenantName === "Marina Singapore");
  equal(before.id === after.id, !IS_OTHER);
});

point("an access token ends after half an hour, the refresh token does not", async () => {
  await control("POST", "clock", { advanceSeconds: 1801 });
  const { body } = await refusal(xero.accountingApi.getOrganisations(tenant()), 401);
  assert.ok(body.Detail.startsWith("TokenExpired"), body.Detail);
  const { refresh_token: before } = xero.readTokenSet();
  await xero.refreshWithRefreshToken(process.env.CLIENT_ID, process.env.CLIENT_SECRET, before);
  equal((await xero.accountingApi.getOrganisations(tenant())).body.organisations[0].name, BAKERY);
});

point("a refresh token ends after sixty days", async () => {
  const other = newClient();
  const { refresh_token: before } = xero.readTokenSet();
  await control("POST", "clock", { advanceSeconds: 60 * 86400 + 1 });
  const ask = other.refreshWithRefreshToken(process.env.CLIENT_ID, process.env.CLIENT_SECRET, before);
  equal((await refusal(ask, 400)).body.error, "invalid_grant");
});

point("a revocation ends all connections", async () => {
  const other = newClient({ scopes: ["offline_access", "accounting.settings"] });
  await other.apiCallback(await consent(await other.buildConsentUrl(), [tenant()]));
  await other.revokeToken();
  const { connections } = await control("GET", "connections");
  equal(connections.length, 1); // that of the user without the scope
});
