// Keeps what Python in the page is made of, so that it is there offline the next time, and the pages
// visited since. Files of the runtime are kept under the version that files.json names; another
// version removes the old ones.
"use strict";

const LIVE = new URL("_static/live/", self.registration.scope).href;
const PAGES = "course-pages";
const runtime = (version) => `course-python-${version}`;

async function version() {
  try {
    const fresh = await fetch(`${LIVE}files.json`, { cache: "no-cache" });
    return (await fresh.json()).version;
  } catch {
    const names = await caches.keys(); // offline: what was kept last
    const kept = names.find((name) => name.startsWith("course-python-"));
    return kept && kept.slice("course-python-".length);
  }
}

// One answer for as long as this worker lives, which is less than a page is read.
let current;

async function ofRuntime(request) {
  current ??= version();
  const cache = await caches.open(runtime(await current));
  const kept = await cache.match(request.url);
  if (kept) return kept;
  for (const name of await caches.keys()) {
    if (name.startsWith("course-python-") && name !== runtime(await current)) await caches.delete(name);
  }
  const response = await fetch(request);
  if (response.ok) await cache.put(request.url, response.clone());
  return response;
}

// Pages and their styles: the site's own while there is a connection.
async function ofPage(request) {
  const cache = await caches.open(PAGES);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request.url, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request.url, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(self.registration.scope)) return;
  const isRuntime = request.url.startsWith(LIVE) && !request.url.startsWith(`${LIVE}cells/`);
  const pinned = isRuntime && /\.(zip|wasm)$|pyodide.*\.js$|lock\.json$/.test(request.url);
  event.respondWith(pinned ? ofRuntime(request) : ofPage(request));
});
