// Statements: accepted, delivered, dropped as duplicates and refused.
"use strict";

const assert = require("assert");
const { randomUUID } = require("crypto");
const { ModelError } = require("xero-node/dist/gen/model/bankfeeds/modelError");
const { Statement } = require("xero-node/dist/gen/model/bankfeeds/statement");
const { control, known, pause, point, refusal } = require("./points");
const { BAKERY, IS_OTHER, tenant, xero } = require("./session");
const { SETTLED, create, feed, feeds } = require("./feeds");

const { strictEqual: equal, deepStrictEqual: same } = assert;
const day = (back) => new Date(Date.now() - back * 86400000).toISOString().slice(0, 10);
const kept = {};

const post = (items, name = BAKERY, key) =>
  xero.bankFeedsApi.createStatements(tenant(name), { items: [items].flat() }, key);

function line(changes = {}) {
  return {
    postedDate: day(3), description: "Flour", amount: 50, creditDebitIndicator: "CREDIT", transactionId: randomUUID(),
    ...changes,
  };
}

function statement(changes = {}) {
  return {
    feedConnectionId: feeds.current,
    startDate: day(4),
    endDate: day(2),
    startBalance: { amount: 100, creditDebitIndicator: "CREDIT" },
    endBalance: { amount: 150, creditDebitIndicator: "CREDIT" },
    statementLines: [line()],
    ...changes,
  };
}

async function rejected(promise, type, status) {
  const { body } = await refusal(promise, status);
  const fault = body.items ? body.items[0].errors[0] : body;
  equal(fault.type, type);
  known(ModelError.TypeEnum, fault.type);
  if (body.items) known(Statement.StatusEnum, body.items[0].status);
}

point("a statement is PENDING at first", async () => {
  kept.first = statement();
  const { response, body } = await post(kept.first);
  equal(response.status, 202);
  same([body.items[0].status, body.items[0].feedConnectionId], ["PENDING", feeds.current]);
  kept.id = body.items[0].id;
  equal(kept.id.startsWith("x"), IS_OTHER);
});

point("it is DELIVERED a while later", async () => {
  await pause(SETTLED);
  const { body } = await xero.bankFeedsApi.getStatement(tenant(), kept.id);
  equal(body.status, "DELIVERED");
  same([body.startDate, body.endDate], [day(4), day(2)]);
  equal(typeof body.endBalance.amount, IS_OTHER ? "number" : "string");
  equal(Number(body.endBalance.amount), 150);
  equal(typeof body.statementLineCount, IS_OTHER ? "number" : "string");
  equal(Number(body.statementLineCount), 1);
  equal(body.statementLines, undefined);
});

point("a statement with only known lines is a 409", async () => {
  await rejected(post(kept.first), "duplicate-statement", 409);
});

point("known lines are dropped, new ones delivered", async () => {
  const more = statement({
    startBalance: { amount: 150, creditDebitIndicator: "CREDIT" },
    endBalance: { amount: 190, creditDebitIndicator: "CREDIT" },
    statementLines: [kept.first.statementLines[0], line({ amount: 10, creditDebitIndicator: "DEBIT" })],
  });
  const { body } = await post(more);
  await pause(SETTLED);
  const found = await xero.bankFeedsApi.getStatement(tenant(), body.items[0].id);
  equal(found.body.status, "DELIVERED");
  equal(Number(found.body.statementLineCount), 1);
});

point("an overdrawn account, amounts as text, all fields of a line", async () => {
  const { body } = await post(statement({
    startBalance: { amount: "0.0000", creditDebitIndicator: "CREDIT" },
    endBalance: { amount: "12.3400", creditDebitIndicator: "DEBIT" },
    statementLines: [line({
      amount: "12.34", creditDebitIndicator: "DEBIT", payeeName: "Müller", reference: "R-1", chequeNumber: "000123",
      transactionType: "POS",
    })],
  }));
  await pause(SETTLED);
  const found = await xero.bankFeedsApi.getStatement(tenant(), body.items[0].id);
  same([found.body.status, found.body.endBalance.creditDebitIndicator], ["DELIVERED", "DEBIT"]);
});

point("several statements in one call", async () => {
  const { body } = await post([statement(), statement({ feedConnectionId: feeds.savings })]);
  same(body.items.map((one) => one.status), ["PENDING", "PENDING"]);
});

point("statements are listed in pages, without lines", async () => {
  const { response, body } = await xero.bankFeedsApi.getStatements(tenant());
  equal(response.status, 200);
  assert.ok(body.items.length >= 5, body.items.length);
  for (const one of body.items) known(Statement.StatusEnum, one.status);
  const { body: second } = await xero.bankFeedsApi.getStatements(tenant(), 2, 2);
  same([second.pagination.page, second.pagination.itemCount], [2, 2]);
  same(second.items.map((one) => one.id), body.items.slice(2, 4).map((one) => one.id));
});

point("a statement that is rejected later has its errors", async () => {
  await control("POST", "reject", { errors: ["internal-error"] });
  const { body } = await post(statement());
  equal(body.items[0].status, "PENDING");
  await pause(SETTLED);
  const found = await xero.bankFeedsApi.getStatement(tenant(), body.items[0].id);
  equal(found.body.status, "REJECTED");
  equal(found.body.errors[0].type, "internal-error");
});

point("an unknown statement is a 404 problem", async () => {
  for (const id of [randomUUID(), "no-guid"])
    equal((await refusal(xero.bankFeedsApi.getStatement(tenant(), id), 404)).body.type, "statement-not-found");
  await refusal(xero.bankFeedsApi.getStatement(tenant("Archive Ltd"), kept.id), 404);
});

point("an organisation without bank feeds is a 403", async () => {
  const { body } = await refusal(post(statement(), "Northwind Joinery"), 403);
  same([body.type, body.status], ["invalid-organisation-bank-feeds", 403]);
});

point("balances that do not run", async () => {
  await rejected(post(statement({ endBalance: { amount: 151, creditDebitIndicator: "CREDIT" } })), "invalid-end-balance", 422);
});

point("dates that cannot be", async () => {
  await rejected(post(statement({ startDate: day(1), endDate: day(2) })), "invalid-start-and-end-date", 422);
  await rejected(post(statement({ startDate: day(400) })), "invalid-start-date", 422);
  await rejected(post(statement({ endDate: day(-3) })), "invalid-end-date", 422);
});

point("texts that are too long, and fields that are missing", async () => {
  await rejected(post(statement({ statementLines: [line({ chequeNumber: "1".repeat(21) })] })), "invalid-request", 400);
  await rejected(post(statement({ statementLines: undefined })), "invalid-request", 400);
  await rejected(post(statement({ feedConnectionId: undefined })), "invalid-request", 400);
});

point("a feed connection that is none, or another organisation's", async () => {
  await rejected(post(statement({ feedConnectionId: randomUUID() })), "invalid-feed-connection", 403);
  await rejected(post(statement(), "Archive Ltd"), "invalid-feed-connection-for-organisation", 403);
});

point("a feed connection that is not active yet", async () => {
  const { feedConnectionSeconds } = await control("GET", "timing");
  await control("PUT", "timing", { feedConnectionSeconds: 600 });
  const { body } = await create(feed({ accountNumber: "3322114455" }));
  await control("PUT", "timing", { feedConnectionSeconds });
  await rejected(post(statement({ feedConnectionId: body.items[0].id })), "invalid-feed-connection", 403);
});

point("a body over three million bytes is a 413", async () => {
  const lines = Array.from({ length: 1600 }, () => line({ description: "x".repeat(2000) }));
  const { body } = await refusal(post(statement({ statementLines: lines })), 413);
  equal(body.type, "invalid-request");
});

point("the same Idempotency-Key gives the same answer to a statement", async () => {
  const [body, key] = [statement(), randomUUID()];
  const [first, second] = [await post(body, BAKERY, key), await post(body, BAKERY, key)];
  equal(first.body.items[0].id, second.body.items[0].id);
});

point("the limit of statements per minute", async () => {
  await control("PUT", "limits", { statementsMinute: 1 });
  const ask = refusal(post(statement()), 429).finally(() => control("PUT", "limits", { statementsMinute: 10000 }));
  equal((await ask).headers["x-rate-limit-problem"], IS_OTHER ? "AppMinuteLimit" : "appminute");
});

point("an internal error is a 500 problem", async () => {
  await control("POST", "faults", { match: { path: "/Statements" }, fault: "problem", problem: "internal-error" });
  await rejected(post(statement()), "internal-error", 500);
});
