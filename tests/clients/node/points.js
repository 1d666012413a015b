// What the Node client's scripts share: the simulator's settings, its user's browser, and the list of points.
"use strict";

const assert = require("assert");
const http = require("http");

const SIMULATOR = process.env.SIMULATOR;
const points = [];

// Each point runs in the order in which it is written. Its line of JSON says whether it passed.
function point(name, act) {
  points.push({ name, act });
}

async function run() {
  for (const { name, act } of points) {
    let error = null;
    try {
      await act();
    } catch (failure) {
      error = failure instanceof Error ? failure.message.replace(/\s+/g, " ") : `refused: ${failure}`;
      error = error.slice(0, 500);
    }
    process.stdout.write(JSON.stringify({ point: name, error }) + "\n");
  }
}

function visit(url, { method = "GET", body } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method }, (answer) => {
      let text = "";
      answer.on("data", (part) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function control(method, path, body) {
  const content = body === undefined ? undefined : JSON.stringify(body);
  const answer = await visit(`${SIMULATOR}/_simulator/${path}`, { method, body: content });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text);
}

// The simulator's own view of the organisations, by name.
async function organisations() {
  const { orgs } = await control("GET", "orgs");
  return Object.fromEntries(orgs.map((one) => [one.name, one]));
}

// The user consents for these organisations: the address to which the browser is sent back.
async function consent(url, tenantIds) {
  await control("PUT", "consent", { mode: "auto", tenantIds });
  const answer = await visit(url);
  assert.strictEqual(answer.status, 302, answer.text);
  return answer.headers.location;
}

// The answer with which Xero refused; the client gives it as text or as an object.
async function refusal(promise, status) {
  try {
    await promise;
  } catch (failure) {
    if (failure instanceof Error && !failure.response) throw failure;
    const { response } = typeof failure === "string" ? JSON.parse(failure) : failure;
    const body = response.body ?? response.data;
    assert.strictEqual(response.statusCode ?? response.status, status, JSON.stringify(body));
    return { body, headers: response.headers };
  }
  throw new Error(`no ${status}`);
}

function claims(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
}

// The value is one that the client's types know.
function known(enumeration, value) {
  assert.ok(Object.values(enumeration).includes(value), `${value} is no value that the client knows`);
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

module.exports = { claims, consent, control, known, organisations, pause, point, refusal, run };
