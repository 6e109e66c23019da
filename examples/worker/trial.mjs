// Runs in Node what the tests ask for: node trial.mjs HOST STEP…, a line of output for each step.
//   request PATH     the Worker answers a request, and what it has told to wait for is waited for
//   NAME [NUMBER]    a call of Trial
//   wait MS          nothing, so long
import { readFileSync } from "node:fs";
import { initSync, Trial } from "./pkg/worker.js";
import { worker } from "./worker.mjs";

const module = new WebAssembly.Module(readFileSync(new URL("./pkg/worker_bg.wasm", import.meta.url)));
const [host, ...steps] = process.argv.slice(2);
const app = worker(module);
initSync({ module });
const trial = new Trial(host);

for (const step of steps) {
  const [name, argument] = step.split(" ");
  if (name === "request") {
    const waits = [];
    const ctx = { waitUntil: (promise) => waits.push(promise) };
    const env = { WRITE_KEY: "WRITE_KEY", ANALYTICS_HOST: host };
    const answer = await app.fetch(new Request(`http://worker.example${argument}`), env, ctx);
    console.log(`${answer.status} ${waits.length} ${await Promise.all(waits)}`);
  } else if (name === "wait") {
    await new Promise((resolve) => setTimeout(resolve, Number(argument)));
    console.log("");
  } else {
    const output = await (argument === undefined ? trial[name]() : trial[name](Number(argument)));
    console.log(JSON.stringify(output ?? null));
  }
}
