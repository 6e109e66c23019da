# The Worker in Cloudflare's runtime, without Cloudflare:
#   ANALYTICS_HOST=http://127.0.0.1:8787 WRITE_KEY=… workerd serve workerd.capnp --socket-addr=worker=127.0.0.1:8080
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "trial", worker = .trial),
    # A tracking API on this machine counts as private.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [
    (name = "worker", address = "127.0.0.1:0", http = (), service = "worker"),
    (name = "trial", address = "127.0.0.1:0", http = (), service = "trial"),
  ],
);

const worker :Workerd.Worker = (
  modules = [
    (name = "cloudflare.mjs", esModule = embed "cloudflare.mjs"),
    (name = "worker.mjs", esModule = embed "worker.mjs"),
    (name = "pkg/worker.js", esModule = embed "pkg/worker.js"),
    (name = "pkg/worker_bg.wasm", wasm = embed "pkg/worker_bg.wasm"),
  ],
  bindings = [(name = "WRITE_KEY", fromEnvironment = "WRITE_KEY"), (name = "ANALYTICS_HOST", fromEnvironment = "ANALYTICS_HOST")],
  compatibilityDate = "2026-01-01",
);

# What the tests ask for, step by step.
const trial :Workerd.Worker = (
  modules = [
    (name = "trial-workerd.mjs", esModule = embed "trial-workerd.mjs"),
    (name = "steps.mjs", esModule = embed "steps.mjs"),
    (name = "worker.mjs", esModule = embed "worker.mjs"),
    (name = "pkg/worker.js", esModule = embed "pkg/worker.js"),
    (name = "pkg/worker_bg.wasm", wasm = embed "pkg/worker_bg.wasm"),
  ],
  bindings = [(name = "ANALYTICS_HOST", fromEnvironment = "ANALYTICS_HOST")],
  compatibilityDate = "2026-01-01",
);
