// What an event costs in the Worker, beside Segment's SDK for Node, in processor time of the process that sends it:
//   node bench.mjs [ROUNDS]           all of CASES in turn, so often, and the medians
//   node bench.mjs CASE [EVENTS]      one of them, once
// Needs the trial build of .ci/wasm, and the packages of cli/sdks (npm ci there).
import { createServer } from "node:http";
import { execFileSync, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const self = fileURLToPath(import.meta.url);

// What sends, and how many events it sends before each flush.
const CASES = {
  "worker": [worker, 100],
  "analytics-node": [(host) => segment(host, 15), 100],
  "analytics-node, flushAt 100": [(host) => segment(host, 100), 100],
  "worker, a client for each event": [clientForEach, 1],
  "analytics-node, a flush for each event": [(host) => segment(host, 15), 1],
};

async function load() {
  const glue = await import("./pkg/worker.js");
  glue.initSync({ module: new WebAssembly.Module(readFileSync(new URL("./pkg/worker_bg.wasm", import.meta.url))) });
  return glue;
}

async function worker(host) {
  const { Trial } = await load();
  const trial = new Trial(host);
  return { track: (number) => trial.track_request("GET", `/${number}`, "a1"), flush: () => trial.flush(10_000) };
}

// As the Worker does it.
async function clientForEach(host) {
  const { Worker } = await load();
  let client;
  const track = (number) => {
    client = new Worker("WRITE_KEY", host, "FRA");
    client.track_request("GET", `/${number}`, "a1");
  };
  return { track, flush: () => client.close(10_000) };
}

async function segment(host, flushAt) {
  const require = createRequire(new URL("../../cli/sdks/", import.meta.url));
  const { Analytics } = require("@segment/analytics-node");
  const analytics = new Analytics({ writeKey: "WRITE_KEY", host, flushAt });
  analytics.on("error", (error) => console.error(error));
  const track = (number) =>
    analytics.track({ anonymousId: "a1", event: "Request Served", properties: { method: "GET", path: `/${number}` } });
  return { track, flush: () => analytics.flush({ timeout: 10_000 }) };
}

async function send(client, events, each) {
  for (let number = 1; number <= events; number += 1) {
    client.track(number);
    if (number % each === 0) await client.flush();
  }
}

function serve() {
  const arrived = { requests: 0, events: 0 };
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      arrived.requests += 1;
      arrived.events += JSON.parse(body).batch.length;
      response.end('{"success":true}');
    });
  });
  process.on("message", () => process.send(arrived));
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
}

async function measure(name, events) {
  const [make, each] = CASES[name];
  const server = fork(self, ["server"]);
  const answer = () => new Promise((resolve) => server.once("message", resolve));
  const client = await make(`http://127.0.0.1:${await answer()}`);
  const warm = Math.min(2_000, events);
  await send(client, warm, each);
  const begun = process.cpuUsage();
  await send(client, events, each);
  const used = process.cpuUsage(begun);
  server.send("count");
  const arrived = await answer();
  server.kill();
  if (arrived.events !== events + warm) throw new Error(`${arrived.events} of ${events + warm} events arrived`);
  return { micros: (used.user + used.system) / events, requests: arrived.requests / arrived.events };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function compare(rounds) {
  const found = Object.keys(CASES).map((name) => [name, []]);
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, runs] of found) runs.push(JSON.parse(execFileSync("node", [self, name])));
  }
  console.log("| | µs of processor time per event: median | least | most | requests per 100 events |\n|---|--:|--:|--:|--:|");
  for (const [name, runs] of found) {
    const micros = runs.map((run) => run.micros);
    const figures = [median(micros), Math.min(...micros), Math.max(...micros)].map((one) => one.toFixed(1));
    console.log(`| ${name} | ${figures.join(" | ")} | ${Math.round(runs[0].requests * 100)} |`);
  }
}

const [which, count] = process.argv.slice(2);
if (which === "server") {
  serve();
} else if (which in CASES) {
  const events = Number(count ?? (CASES[which][1] === 1 ? 3_000 : 20_000));
  console.log(JSON.stringify(await measure(which, events)));
  process.exit(0);
} else {
  compare(Number(which ?? 5));
}
