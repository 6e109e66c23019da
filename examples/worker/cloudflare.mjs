// What is deployed: `npx wrangler deploy cloudflare.mjs`.
import module from "./pkg/worker_bg.wasm";
import { worker } from "./worker.mjs";

export default worker(module);
