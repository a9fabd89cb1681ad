// Bundles the editor into ../codemirror.js, a classic script, with the licences of what is in it:
//     npm ci --ignore-scripts && node refresh.mjs
// The same lock file gives the same bytes. The site and its build need no Node.js.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const { metafile } = await build({
  entryPoints: ["editor.mjs"],
  outfile: "../codemirror.js",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  banner: { js: "/* CodeMirror and Lezer; licences in codemirror.LICENSES.txt, sources in codemirror/. */" },
  metafile: true,
  logLevel: "info",
});

const bundled = Object.values(metafile.outputs)
  .flatMap((output) => Object.entries(output.inputs))
  .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  .map(([file]) => file.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
  .filter(Boolean);
const packages = [...new Set(bundled)].sort();
const texts = packages.map((name) => {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const text = readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
});
writeFileSync("../codemirror.LICENSES.txt", texts.join(`\n${"-".repeat(78)}\n\n`));
