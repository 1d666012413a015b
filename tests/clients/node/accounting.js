// Organisations, accounts and users, and the accounting API's refusals.
"use strict";

const assert = require("assert");
const { randomUUID } = require("crypto");
const { Account, AccountType, CountryCode, CurrencyCode, Organisation, TimeZone, User } = require("xero-node");
const { control, known, point, refusal } = require("./points");
const { BAKERY, IS_OTHER, REGIONS, account, newClient, organisation, tenant, xero } = require("./session");

const { strictEqual: equal, deepStrictEqual: same } = assert;

async function accounts(where, order, name = BAKERY) {
  const { body } = await xero.accountingApi.getAccounts(tenant(name), undefined, where, order);
  return body.accounts;
}

async function names(...rest) {
  return (await accounts(...rest)).map((one) => one.name);
}

point("an organisation has only values that the client knows", async () => {
  const { body } = await xero.accountingApi.getOrganisations(tenant());
  const [found] = body.organisations;
  equal(found.name, BAKERY);
  equal(found.isDemoCompany, false);
  known(Organisation.VersionEnum, found.version);
  known(Organisation.OrganisationTypeEnum, found.organisationType);
  known(Organisation.OrganisationEntityTypeEnum, found.organisationEntityType);
  known(Organisation.ClassEnum, found._class);
  known(Organisation.EditionEnum, found.edition);
});

for (const name of REGIONS)
  point(`organisation of ${name}`, async () => {
    const { body } = await xero.accountingApi.getOrganisations(tenant(name));
    const [found] = body.organisations;
    equal(found.countryCode, organisation(name).country);
    equal(found.baseCurrency, organisation(name).currency);
    known(CountryCode, found.countryCode);
    known(CurrencyCode, found.baseCurrency);
    known(TimeZone, found.timezone);
    known(Organisation.VersionEnum, found.version);
  });

point("actions", async () => {
  const of = async (name) => (await xero.accountingApi.getOrganisationActions(tenant(name))).body.actions[0];
  const several = await of(BAKERY);
  same([several.name, String(several.status)], ["UseMulticurrency", "ALLOWED"]);
  equal(String((await of("Northwind Joinery")).status), "NOT-ALLOWED");
});

point("currencies", async () => {
  const { body } = await xero.accountingApi.getCurrencies(tenant());
  same(body.currencies.map((one) => one.code), ["GBP", "EUR"]);
});

point("users have a role that the client knows", async () => {
  const of = async (name) => (await xero.accountingApi.getUsers(tenant(name))).body.users[0];
  const user = await of(BAKERY);
  equal(user.organisationRole, "FINANCIALADVISER");
  known(User.OrganisationRoleEnum, user.organisationRole);
  equal((await of("Read Only Ltd")).organisationRole, "READONLY");
});

point("accounts have only values that the client knows", async () => {
  const found = await accounts();
  equal(found.length, 7);
  for (const one of found) {
    known(AccountType, one.type);
    known(Account.StatusEnum, one.status);
    known(Account.ClassEnum, one._class);
    known(CurrencyCode, one.currencyCode);
    assert.ok(one.updatedDateUTC instanceof Date || one.updatedDateUTC, "updatedDateUTC");
    if (one.type === "BANK") known(Account.BankAccountTypeEnum, one.bankAccountType);
  }
});

point("one account by its id", async () => {
  const { body } = await xero.accountingApi.getAccount(tenant(), account("Business Visa"));
  equal(body.accounts.length, 1);
  equal(body.accounts[0].bankAccountType, "CREDITCARD");
});

point("accounts by equality", async () => {
  equal((await accounts('Type=="BANK"')).length, 5);
  same(await names('Type!="BANK"'), ["Sales", "Office Expenses"]);
});

point("accounts by guid()", async () => {
  const id = account("Euro Account");
  same(await names(`AccountID==guid("${id}")`), ["Euro Account"]);
  same(await names(`AccountID == Guid("${id.toUpperCase()}")`), ["Euro Account"]);
  equal((await accounts(`AccountID!=GUID("${id}")`)).length, 6);
});

point("accounts by OR, AND and brackets", async () => {
  same(await names('Code=="093" OR Code=="094"'), ["Business Visa", "PayPal Takings"]);
  same(await names('Code=="093"||Code=="094"'), ["Business Visa", "PayPal Takings"]);
  same(await names('Type=="BANK" AND CurrencyCode=="EUR"'), ["Euro Account"]);
  same(await names('Type=="BANK"&&(Code=="090" or Code=="200")'), ["Business Current Account"]);
});

point("accounts by StartsWith and its like", async () => {
  equal((await accounts('Name.StartsWith("Business")')).length, 3);
  same(await names('Name!=null && Name.StartsWith("Business V")'), ["Business Visa"]);
  same(await names('Name.EndsWith("Takings")'), ["PayPal Takings"]);
  same(await names('Name.Contains("uro")'), ["Euro Account"]);
  same(await names('Name.ToLower()=="euro account"'), ["Euro Account"]);
});

point("accounts in order", async () => {
  const up = await names('Type=="BANK"', "Name");
  same(up, [...up].sort());
  same(await names('Type=="BANK"', "Name DESC"), [...up].reverse());
  equal((await names(undefined, "Type ASC, Name DESC")).at(-1), "Sales");
});

point("accounts since a date", async () => {
  const { body } = await xero.accountingApi.getAccounts(tenant(), new Date("2020-01-01"));
  equal(body.accounts.length, 7);
});

point("archived accounts are listed as such", async () => {
  same(await names('Status=="ARCHIVED"', undefined, "Archive Ltd"), ["Old Account"]);
  const { body } = await xero.accountingApi.getAccount(tenant("Archive Ltd"), account("Old Account", "Archive Ltd"));
  equal(body.accounts[0].status, "ARCHIVED");
});

point("an unknown account is a 404", async () => {
  const { headers } = await refusal(xero.accountingApi.getAccount(tenant(), randomUUID()), 404);
  assert.ok(headers["content-type"].startsWith("text/html"));
  await refusal(xero.accountingApi.getAccount(tenant(), "no-guid"), 404);
});

point("a where that is none is a 400", async () => {
  const { body } = await refusal(accounts('Name is "Sales"'), 400);
  same([body.ErrorNumber, body.Type], [16, "QueryParseException"]);
  await refusal(accounts(`AccountID=="${account("Euro Account")}"`), 400);
});

point("an order that is none is a 400", async () => {
  await refusal(accounts(undefined, "Colour"), 400);
});

point("an organisation that is not connected is a 403", async () => {
  const { body } = await refusal(xero.accountingApi.getOrganisations(randomUUID()), 403);
  equal(body.Detail, "AuthenticationUnsuccessful");
});

point("an unknown token is a 401", async () => {
  const other = newClient();
  other.setTokenSet({ access_token: "unknown" });
  const { body, headers } = await refusal(other.accountingApi.getOrganisations(tenant()), 401);
  assert.ok(body.Detail.startsWith("TokenInvalid"), body.Detail);
  assert.ok(headers["www-authenticate"].startsWith("Bearer"));
});

point("a 429 has its limit, its wait and what remains", async () => {
  await control("PUT", "limits", { tenantMinute: 1 });
  const twice = async () => {
    await names(undefined, undefined, "Archive Ltd");
    await names(undefined, undefined, "Archive Ltd");
  };
  const { headers } = await refusal(twice(), 429).finally(() => control("PUT", "limits", { tenantMinute: 10000 }));
  equal(headers["x-rate-limit-problem"], IS_OTHER ? "MinuteLimit" : "minute");
  assert.ok(Number(headers["retry-after"]) >= 1 && Number(headers["retry-after"]) <= 60);
  equal(headers["x-minlimit-remaining"], "0");
});

point("every answer says what remains", async () => {
  const { response } = await xero.accountingApi.getAccounts(tenant());
  for (const name of ["x-minlimit-remaining", "x-daylimit-remaining", "x-appminlimit-remaining"])
    assert.ok(Number(response.headers[name]) > 0, name);
  assert.ok(response.headers["xero-correlation-id"]);
});

point("the day's and the concurrent limit", async () => {
  const limit = (name, more) =>
    control("POST", "faults", { match: { path: "/Accounts" }, fault: "rateLimit", limit: name, ...more });
  await limit("day", { seconds: 3600 });
  equal((await refusal(accounts(), 429)).headers["retry-after"], "3600");
  await control("PUT", "limits", { tenantConcurrent: 0 });
  const ask = refusal(accounts(), 429).finally(() => control("PUT", "limits", { tenantConcurrent: 5 }));
  equal((await ask).headers["retry-after"], undefined);
});

point("an outage with a page", async () => {
  await control("POST", "faults", { match: { path: "/Accounts" }, fault: "page", status: 503 });
  await refusal(accounts(), 503);
});
