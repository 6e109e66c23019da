// The steps of the tests (tests/worker.rs), in any JavaScript runtime. Each gives a line:
//   request PATH     the Worker answers a request, and what it has told to wait for is waited for
//   NAME [NUMBER]    a call of Trial
import { initSync, Trial } from "./pkg/worker.js";
import { worker } from "./worker.mjs";

export async function run(module, host, steps) {
  const app = worker(module);
  initSync({ module });
  const trial = new Trial(host);
  const lines = [];
  for (const step of steps) {
    const [name, argument] = step.split(" ");
    if (name === "request") {
      const waits = [];
      const ctx = { waitUntil: (promise) => waits.push(promise) };
      const env = { WRITE_KEY: "WRITE_KEY", ANALYTICS_HOST: host };
      const answer = await app.fetch(new Request(`http://worker.example${argument}`), env, ctx);
      lines.push(`${answer.status} ${waits.length} ${await Promise.all(waits)}`);
    } else {
      lines.push((await (argument === undefined ? trial[name]() : trial[name](Number(argument)))) ?? "");
    }
  }
  return lines;
}
