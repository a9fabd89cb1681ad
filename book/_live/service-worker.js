// Keeps what Python in the page is made of, so that it is there offline the next time, and the pages
// visited since. Files of one version lie in a folder of that name and never change: they are kept
// under it, and another version removes them.
"use strict";

const LIVE = new URL("_static/live/", self.registration.scope).href;
const PAGES = "course-pages";
const KEPT = "course-python-";

async function ofVersion(request) {
  const name = KEPT + request.url.slice(LIVE.length).split("/")[0];
  const cache = await caches.open(name);
  const kept = await cache.match(request.url);
  if (kept) return kept;
  const response = await fetch(request);
  if (!response.ok) return response;
  await cache.put(request.url, response.clone());
  for (const other of await caches.keys()) {
    if (other.startsWith(KEPT) && other !== name) await caches.delete(other);
  }
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
  event.respondWith(request.url.startsWith(LIVE) ? ofVersion(request) : ofPage(request));
});
