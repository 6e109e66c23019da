// Runs the steps of the tests in Node, and prints their lines as JSON: node trial.mjs HOST STEP…
import { readFileSync } from "node:fs";
import { run } from "./steps.mjs";

const module = new WebAssembly.Module(readFileSync(new URL("./pkg/worker_bg.wasm", import.meta.url)));
const [host, ...steps] = process.argv.slice(2);
console.log(JSON.stringify(await run(module, host, steps)));
