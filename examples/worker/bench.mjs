// What an event costs in the Worker, beside Segment's SDK for Node, in processor time of this process:
//   node bench.mjs worker|segment [EVENTS]
// Needs the trial build of .ci/wasm, and for `segment` the packages of cli/sdks (npm ci there).
import { createServer } from "node:http";
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const self = fileURLToPath(import.meta.url);
const [which, count] = [process.argv[2], Number(process.argv[3] ?? 20_000)];
const EACH = 100;

const clients = {
  async worker(host) {
    const { initSync, Trial } = await import("./pkg/worker.js");
    initSync({ module: new WebAssembly.Module(readFileSync(new URL("./pkg/worker_bg.wasm", import.meta.url))) });
    const trial = new Trial(host);
    return { track: (number) => trial.track_request("GET", `/${number}`, "a1"), flush: () => trial.flush(10_000) };
  },
  async segment(host) {
    const require = createRequire(new URL("../../cli/sdks/", import.meta.url));
    const { Analytics } = require("@segment/analytics-node");
    const analytics = new Analytics({ writeKey: "WRITE_KEY", host, flushAt: 15 });
    analytics.on("error", (error) => console.error(error));
    const track = (number) =>
      analytics.track({ anonymousId: "a1", event: "Request Served", properties: { method: "GET", path: `/${number}` } });
    return { track, flush: () => analytics.flush({ timeout: 10_000 }) };
  },
};

// So many events, flushed a hundred at a time.
async function send(client, events) {
  for (let number = 1; number <= events; number += 1) {
    client.track(number);
    if (number % EACH === 0) await client.flush();
  }
  await client.flush();
}

if (which === "server") {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.end('{"success":true}'));
  });
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
} else {
  const server = fork(self, ["server"]);
  const port = await new Promise((resolve) => server.once("message", resolve));
  const client = await clients[which](`http://127.0.0.1:${port}`);
  await send(client, 2_000);
  const begun = process.cpuUsage();
  await send(client, count);
  const used = process.cpuUsage(begun);
  console.log(`${which}: ${((used.user + used.system) / count).toFixed(2)} us of processor time for each of ${count} events`);
  server.kill();
  process.exit(0);
}
