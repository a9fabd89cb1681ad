// node compile.mjs OUT.tar: compile.py under the vendored Pyodide, on the vendored archives.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const core = path.join(here, "pyodide");
const wheels = path.join(here, "wheels");
const { loadPyodide } = createRequire(import.meta.url)(path.join(core, "pyodide.js"));

const python = await loadPyodide({ indexURL: core });
python.FS.mkdir("/in");
const inputs = [
  path.join(core, "python_stdlib.zip"),
  ...fs.readdirSync(wheels).filter((name) => name.endsWith(".whl")).map((name) => path.join(wheels, name)),
];
for (const file of inputs) python.FS.writeFile(`/in/${path.basename(file)}`, fs.readFileSync(file));
python.runPython(fs.readFileSync(path.join(here, "compile.py"), "utf8"));
python.runPython(`
from pathlib import Path
Path("/out.tar").write_bytes(compiled({path.name: path.read_bytes() for path in Path("/in").iterdir()}))
`);
fs.writeFileSync(process.argv[2], python.FS.readFile("/out.tar"));
