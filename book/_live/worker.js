/* Python in a worker: loads the runtime, runs cells, and tells the page what comes of them. */
"use strict";

importScripts("pyodide.js");

let files; // of files.json: which archives come first, and which on demand
let loaded = 0;
let python; // the module session.py
let pyodide;
let jobs = Promise.resolve();

const tell = (message) => self.postMessage(message);

/** Count the bytes of a response as they come, and leave it as it is. */
function counted(response) {
  const reader = response.clone().body.getReader();
  const read = ({ done, value }) => {
    if (done) return undefined;
    loaded += value.length;
    tell({ progress: [loaded, files.total] });
    return reader.read().then(read);
  };
  reader.read().then(read).catch(() => undefined);
  return response;
}

async function get(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`the site has no ${name} (${response.status})`);
  return response;
}

const bytes = async (name) => new Uint8Array(await (await get(name)).arrayBuffer());

/** Fetch while Python waits, as an import must. */
function bytesAtOnce(name) {
  const request = new XMLHttpRequest();
  request.open("GET", name, false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`the site has no ${name} (${request.status})`);
  return new Uint8Array(request.response);
}

const installed = new Set();

function install(name, archive) {
  installed.add(name);
  pyodide.unpackArchive(archive, "zip", { extractDir: files.sitePackages });
}

async function start() {
  files = await (await get("files.json")).json();
  const plainFetch = self.fetch;
  self.fetch = async (...what) => counted(await plainFetch(...what));
  try {
    const firsts = Promise.all(files.first.map(bytes));
    pyodide = await loadPyodide({
      indexURL: "./",
      stdLibURL: "stdlib.zip",
      lockFileURL: "lock.json",
      env: { HOME: "/home/pyodide", PYTHONDONTWRITEBYTECODE: "1", REGLIB_SITE: new URL("../../../", self.location).href },
    });
    (await firsts).forEach((archive, at) => install(files.first[at], archive));
  } finally {
    self.fetch = plainFetch;
  }
  python = pyodide.pyimport("course_session");
  const archives = pyodide.toPy(files.onDemand);
  python.prepare(archives, (name) => installed.has(name) || install(name, bytesAtOnce(name)));
}

async function run({ id, session, cells, packages }) {
  for (const name of packages.concat(...python.wanted(cells.map((cell) => cell.source).join("\n")))) {
    const archive = files.onDemand[name];
    if (archive && !installed.has(archive)) install(archive, await bytes(archive));
    python.warm(name); // not in the cells' time
  }
  tell({ id, began: true });
  const results = [];
  for (const { name, source, quiet } of cells) {
    const output = (text) => tell({ id, cell: name, output: JSON.parse(text) });
    const result = JSON.parse(python.run_cell_as_text(session, name, source, output, Boolean(quiet)));
    results.push(result);
    if (result.error) break;
  }
  return { cells: results };
}

const work = {
  start: async () => undefined,
  run,
  reset: async ({ session }) => python.reset(session),
};

let ready;

self.onmessage = ({ data }) => {
  ready ??= start();
  jobs = jobs.then(async () => {
    try {
      await ready;
      tell({ id: data.id, done: (await work[data.work](data)) ?? null });
    } catch (error) {
      tell({ id: data.id, failed: String(error.message ?? error) });
    }
  });
};
