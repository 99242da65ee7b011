// Makes `sounds` and `readings` of schemas/guide/search.json again for the words that stand there and in the catalogue, from the npm package
// pinyin-pro 3.29.4 (unpacked into the folder given as argument). Needed when a word brings a character that has no sound yet.
// Run: node schemas/tools/search-sounds.mjs PACKAGE_DIR
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const dir = process.argv[2];
if (!dir) {
  console.error("usage: search-sounds.mjs PACKAGE_DIR (npm pack pinyin-pro, unpacked)");
  process.exit(2);
}
const { pinyin } = createRequire(import.meta.url)(resolve(dir));
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path) => JSON.parse(readFileSync(at(path), "utf8"));
const search = read("guide/search.json");
const items = read("catalogue/items.json").items;
const texts = [...items.flatMap((i) => [i.name, i.plain_name, ...(search.words[i.code] || i.search)]), ...search.synonyms.flat(), ...search.fillers];

const han = /[\u3400-\u9fff]/;
const plain = (text) => pinyin(text, { toneType: "none", type: "array", v: true }).map((s) => s.replace("ü", "v"));
/* Alone these sound otherwise than in the words of this field. */
const USUAL = { 长: "chang", 重: "chong", 行: "hang", 还: "huan", 薄: "bo", 簿: "bu", 给: "gei", 吗: "ma", 的: "de", 了: "le", 地: "di", 得: "de", 着: "zhe", 没: "mei", 都: "dou", 单: "dan", 传: "chuan", 参: "can", 校: "xiao", 调: "diao", 大: "da", 女: "nv" };
const sound = (c) => USUAL[c] || plain(c)[0];

const characters = new Set(texts.join("").split("").filter((c) => han.test(c)));
const gb = new TextDecoder("gb18030");               // GB 2312 level 1: the 3,755 usual characters
for (let a = 0xb0; a <= 0xd7; a++) for (let b = 0xa1; b <= 0xfe; b++) {
  const c = gb.decode(new Uint8Array([a, b]));
  if (han.test(c)) characters.add(c);
}
const sounds = {}, readings = {};
for (const c of [...characters].sort()) if (/^[a-z]+$/.test(sound(c))) sounds[sound(c)] = (sounds[sound(c)] || "") + c;
for (const t of texts) {
  if (t.length < 2 || t.length > 4 || [...t].some((c) => !han.test(c))) continue;
  if (plain(t).some((s, i) => s !== sound(t[i]))) readings[t] = plain(t).join(" ");
}
const lines = (o) => Object.keys(o).sort().map((k) => `    ${JSON.stringify(k)}: ${JSON.stringify(o[k])}`).join(",\n");
writeFileSync(at("guide/search.json"), `{
  "fillers": ${JSON.stringify(search.fillers)},
  "synonyms": [
${search.synonyms.map((g) => `    ${JSON.stringify(g)}`).join(",\n")}
  ],
  "words": {
${lines(search.words)}
  },
  "readings": ${JSON.stringify(readings)},
  "sounds": {
${lines(sounds)}
  }
}
`);
