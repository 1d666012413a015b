// Has connections to Xero's hosts end at the simulator. The client's own code stays as it is.
"use strict";

const http = require("http");
const https = require("https");

const HERE = new URL(process.env.SIMULATOR);

// A name below localhost is the simulator's login host: not every system looks it up.
const isNear = (name) => name.endsWith(".xero.com") || name.endsWith(".localhost");

function diverted(rest) {
  const [first, second] = rest;
  const asked = typeof first === "string" || first instanceof URL ? new URL(first) : first;
  const name = asked.hostname || asked.host || "";
  if (!isNear(name)) return null;
  const given = asked === first ? first : typeof second === "function" ? {} : second;
  const isLogin = name === "login.xero.com" || name === "login.localhost";
  return {
    method: given.method,
    path: asked instanceof URL ? asked.pathname + asked.search : asked.path,
    headers: { ...given.headers, host: isLogin ? `login.localhost:${HERE.port}` : HERE.host },
    hostname: HERE.hostname,
    port: HERE.port,
    timeout: given.timeout,
  };
}

const plain = http.request;

for (const protocol of [http, https]) {
  const ask = protocol.request;
  protocol.request = function (...rest) {
    const options = diverted(rest);
    if (options === null) return ask.apply(this, rest);
    const answer = rest.find((one) => typeof one === "function");
    return answer ? plain.call(http, options, answer) : plain.call(http, options);
  };
  protocol.get = function (...rest) {
    const request = protocol.request(...rest);
    request.end();
    return request;
  };
}
