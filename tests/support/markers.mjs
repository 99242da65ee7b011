// Finds what must not be there: values of a person, in every encoding that a leak may wear, in every file below some folders.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

function gb18030(text) {                    // by asking the decoder for every two-byte character once
  if (!gb18030.table) {
    gb18030.table = new Map();
    const decode = new TextDecoder('gb18030');
    for (let a = 0x81; a <= 0xfe; a++)
      for (let b = 0x40; b <= 0xfe; b++)
        if (b !== 0x7f) gb18030.table.set(decode.decode(Uint8Array.of(a, b)), [a, b]);
  }
  const out = [];
  for (const ch of text) out.push(...(ch.codePointAt(0) < 0x80 ? [ch.codePointAt(0)] : gb18030.table.get(ch) ?? []));
  return Buffer.from(out);
}

/** Base64 of the bytes as they look inside a longer text, at the three offsets; the unstable edge characters are cut. */
function base64s(bytes) {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift, 0x20), bytes]).toString('base64').replace(/=+$/, '');
    return Buffer.from(text.slice(shift ? shift + 1 : 0, -1));
  }).filter((b) => b.length >= 8);
}

/** marker: text, or Buffer (a stretch of an image). Gives [encoding, bytes] pairs. */
export function encodings(marker) {
  const raw = Buffer.isBuffer(marker);
  const utf8 = raw ? marker : Buffer.from(marker);
  const list = [['UTF-8', utf8], ['hex', Buffer.from(utf8.toString('hex'))], ['HEX', Buffer.from(utf8.toString('hex').toUpperCase())],
    ...base64s(utf8).map((b, i) => [`base64+${i}`, b])];
  if (!raw) {
    const le = Buffer.from(marker, 'utf16le');
    list.push(['UTF-16LE', le], ['UTF-16BE', Buffer.from(le).swap16()], ['GB18030', gb18030(marker)], ['URL', Buffer.from(encodeURIComponent(marker))],
      ['JSON', Buffer.from(JSON.stringify(marker).slice(1, -1).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`))]);
    for (const [name, bytes] of [['UTF-16LE', le], ['GB18030', gb18030(marker)]]) list.push(...base64s(bytes).map((b, i) => [`base64+${i} of ${name}`, b]));
  }
  return list.filter(([, b]) => b.length >= 6);
}

function* files(dir) {
  for (const name of readdirSync(dir)) {
    const file = path.join(dir, name);
    let st;
    try { st = statSync(file); } catch { continue; }          // went away meanwhile
    if (st.isDirectory()) yield* files(file);
    else if (st.isFile()) yield file;
  }
}

/** markers: {what: text or Buffer}. Gives a list of "file: what in encoding". */
export function scan(folders, markers) {
  const needles = Object.entries(markers).flatMap(([what, m]) => encodings(m).map(([encoding, bytes]) => ({ what, encoding, bytes })));
  const hits = [];
  for (const dir of folders)
    for (const file of files(dir)) {
      let body;
      try { body = readFileSync(file); } catch { continue; }
      for (const n of needles) if (body.includes(n.bytes)) hits.push(`${file}: ${n.what} in ${n.encoding}`);
    }
  return hits;
}
