// node python.mjs FOLDER SCRIPT.py: a script under Pyodide, with what the site's pages run it with.
// FOLDER is the site's _static/live. What the script prints goes to stdout; `arguments_` is stdin.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";

const [folder, script] = process.argv.slice(2).map((name) => path.resolve(name));
const { loadPyodide } = createRequire(import.meta.url)(path.join(folder, "pyodide.js"));
const files = JSON.parse(fs.readFileSync(path.join(folder, "files.json"), "utf8"));

const python = await loadPyodide({
  indexURL: folder,
  stdLibURL: path.join(folder, "stdlib.zip"),
  lockFileURL: path.join(folder, "lock.json"),
  env: { HOME: "/home/pyodide", PYTHONDONTWRITEBYTECODE: "1", REGLIB_SITE: "https://example.org" },
  stdout: (line) => process.stdout.write(`${line}\n`),
  stderr: (line) => process.stderr.write(`${line}\n`),
});
const install = (name) =>
  python.unpackArchive(new Uint8Array(fs.readFileSync(path.join(folder, name))), "zip", {
    extractDir: files.sitePackages,
  });
files.first.forEach(install);
python.pyimport("course_session").prepare(python.toPy(files.onDemand), install);
python.globals.set("arguments_", await text(process.stdin));
try {
  await python.runPythonAsync(fs.readFileSync(script, "utf8"), { filename: script });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
