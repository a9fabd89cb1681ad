/* window.coursePython: Python in the page. Nothing is fetched before the first call.

   Rejections are errors with a `code`: "file" or "browser" (it cannot run here; the message says
   what to do), "load" (a file did not come), "timeout", "stopped", "broken" (Python died). After
   the last three the sessions are gone, and the next call starts Python anew. */
"use strict";

window.coursePython = (() => {
  const base = new URL(".", document.currentScript.src);
  const SECONDS = 30;

  let worker = null;
  let starting = null;
  let loaded = false;
  let number = 0;
  const waiting = new Map(); // number of a call: what it waits with
  const listeners = new Set(); // for progress

  function failure(code, message) {
    return Object.assign(new Error(message), { name: "PythonError", code });
  }

  /** Return why Python cannot run here, or null. */
  function obstacle() {
    if (location.protocol === "file:") {
      return failure(
        "file",
        "Python runs in pages that come from a server. In the course's folder, `make serve` " +
          "shows the book at http://localhost:8000.",
      );
    }
    if (typeof WebAssembly !== "object" || typeof Worker !== "function") {
      return failure(
        "browser",
        "Python in the page needs a newer browser (Firefox 100, Chrome 100, Safari 16 or later). " +
          "The notebook to download works without one.",
      );
    }
    return null;
  }

  /** Let the browser keep the runtime for the next visit, where it can. */
  async function keep() {
    if (!navigator.serviceWorker) return; // private windows, plain http: the next visit fetches again
    const here = navigator.serviceWorker.controller;
    const taken = here || new Promise((resolve) => {
      navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
    });
    const ready = navigator.serviceWorker
      .register(new URL("../../../service-worker.js", base))
      .then(() => taken);
    const late = new Promise((resolve) => { setTimeout(resolve, 3000); });
    await Promise.race([ready, late]).catch(() => undefined);
    if (here) return;
    // This page was there before its keeper, which is to have it as well.
    const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
    const own = loaded.filter((name) => name.startsWith(location.origin));
    for (const name of [location.href, ...own]) fetch(name).catch(() => undefined);
  }

  function end(error) {
    worker?.terminate();
    worker = starting = null;
    loaded = false;
    const calls = [...waiting.values()];
    waiting.clear();
    for (const call of calls) {
      clearTimeout(call.timer);
      call.reject(error);
    }
  }

  function hear({ data }) {
    if (data.progress) {
      for (const listener of listeners) listener(...data.progress);
      return;
    }
    const call = waiting.get(data.id);
    if (!call) return;
    if (data.began && call.seconds) {
      call.timer = setTimeout(
        () => end(failure("timeout", `Stopped after ${call.seconds} seconds: is there a loop without an end?`)),
        call.seconds * 1000,
      );
    } else if (data.output) {
      call.onOutput?.(data.output, data.cell);
    } else if ("done" in data) {
      clearTimeout(call.timer);
      waiting.delete(data.id);
      call.resolve(data.done);
    } else if (data.failed) {
      end(failure(loaded ? "broken" : "load", explained(data.failed)));
    }
  }

  function explained(message) {
    if (/memory/i.test(message)) {
      return "There is too little memory for Python in this page. Close other tabs, or use smaller arrays.";
    }
    return loaded
      ? `Python stopped working: ${message}`
      : `Python could not be loaded: ${message}. Are you online? If you are, load this page anew: the site may have changed.`;
  }

  function ask(work, more = {}, options = {}) {
    if (!worker) {
      worker = new Worker(new URL("worker.js", base));
      worker.onmessage = hear;
      worker.onerror = (event) => {
        event.preventDefault?.();
        end(failure(loaded ? "broken" : "load", explained(event.message || "a file is missing")));
      };
    }
    return new Promise((resolve, reject) => {
      number += 1;
      waiting.set(number, { resolve, reject, ...options });
      worker.postMessage({ id: number, work, ...more });
    });
  }

  /** Return what ends with some work, or fails if everything is stopped before. */
  function stoppable(work) {
    return new Promise((resolve, reject) => {
      const id = (number += 1);
      waiting.set(id, { resolve, reject });
      const over = () => {
        waiting.delete(id);
        resolve();
      };
      work.then(over, over);
    });
  }

  function start({ onProgress } = {}) {
    const cannot = obstacle();
    if (cannot) return Promise.reject(cannot);
    if (onProgress) listeners.add(onProgress);
    starting ??= stoppable(keep()).then(() => ask("start")).then(() => {
      loaded = true;
    });
    const done = () => listeners.delete(onProgress);
    starting.then(done, done);
    return starting;
  }

  async function run({ session, cells, packages = [], seconds = SECONDS, onOutput }) {
    await start();
    return ask("run", { session, cells, packages }, { seconds, onOutput });
  }

  async function reset(session) {
    if (worker) await ask("reset", { session });
  }

  function stop() {
    end(failure("stopped", "Stopped."));
  }

  /** Return "off", "loading", "ready" or "busy". */
  function state() {
    if (!worker) return starting ? "loading" : "off";
    if (!loaded) return "loading";
    return waiting.size ? "busy" : "ready";
  }

  return { start, run, reset, stop, state, obstacle };
})();
