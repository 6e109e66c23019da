// The host's side of the Worker. In Cloudflare's runtime an `import` of the .wasm file gives its module, and Node reads it.
import { initSync, Worker } from "./pkg/worker.js";

export function worker(module) {
  initSync({ module });
  return {
    async fetch(request, env, ctx) {
      const url = new URL(request.url);
      const analytics = new Worker(env.WRITE_KEY, env.ANALYTICS_HOST, request.cf?.colo ?? "local");
      analytics.track_request(request.method, url.pathname, request.headers.get("x-visitor") ?? "unknown");
      // The answer does not wait for it; Workers give it thirty seconds more.
      ctx.waitUntil(analytics.close(20_000));
      return new Response(`Hello from ${url.pathname}\n`);
    },
  };
}
