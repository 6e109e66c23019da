// Runs the steps of the tests in Cloudflare's runtime: POST them as JSON, and get their lines.
import module from "./pkg/worker_bg.wasm";
import { run } from "./steps.mjs";

export default {
  async fetch(request, env) {
    return Response.json(await run(module, env.ANALYTICS_HOST, await request.json()));
  },
};
