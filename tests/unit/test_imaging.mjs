// The image child by its frames alone: what a citizen sent becomes a JPEG with the watermark, or a refusal in words; it has no power to lose.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import zlib from 'node:zlib';

const font = '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc';
const photo = readFileSync('tests/fixtures/photo-1.jpg');

/** One request to a fresh child: {word, body} or {died}. */
function ask(file, { edge = 800, sheet = 1, quality = 82, mark = '书院派出所 某某 10.1.2.3 11-23 09:41', op = 'D', raw } = {}) {
  return new Promise((done) => {
    const child = spawn('build/libexec/imaging', [font], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    const text = Buffer.from(mark);
    const head = Buffer.alloc(12);
    head.write(op, 0, 'latin1');
    head.writeUInt32BE(edge, 1);
    head.writeUInt32BE(sheet, 5);
    head.writeUInt8(quality, 9);
    head.writeUInt16BE(text.length, 10);
    const body = raw ?? Buffer.concat([head, text, file]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    const parts = [];
    child.stdin.on('error', () => {});
    child.stdout.on('data', (d) => parts.push(d));
    child.on('close', (code, signal) => {
      const out = Buffer.concat(parts);
      done(out.length < 5 ? { died: signal ?? code } : { word: out[4], body: out.subarray(5) });
    });
    child.stdin.end(Buffer.concat([length, body]));
  });
}

const words = (r) => r.body.toString('utf8');
const isJpeg = (b) => b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff;

function png(width, height, rows) {
  const chunk = (type, data) => {
    const b = Buffer.alloc(12 + data.length);
    b.writeUInt32BE(data.length);
    b.write(type, 4, 'latin1');
    data.copy(b, 8);
    b.writeUInt32BE(zlib.crc32(b.subarray(4, 8 + data.length)), 8 + data.length);
    return b;
  };
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(width);
  ihdr.writeUInt32BE(height, 4);
  ihdr.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', ihdr), chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

const pdf = (pages) => {
  const objects = ['<</Type/Catalog/Pages 2 0 R>>', `<</Type/Pages/Count ${pages}/Kids[${Array.from({ length: pages }, (_, i) => `${i + 3} 0 R`).join(' ')}]>>`,
    ...Array.from({ length: pages }, () => '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>')];
  let out = '%PDF-1.4\n';
  const at = objects.map((o, i) => { const n = out.length; out += `${i + 1} 0 obj${o}endobj\n`; return n; });
  const xref = out.length;
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${at.map((n) => `${String(n).padStart(10, '0')} 00000 n \n`).join('')}trailer<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${xref}\n%%EOF`;
  return Buffer.from(out);
};

test('REV-06 a photograph becomes a smaller JPEG with the watermark in its pixels', async () => {
  const [marked, plain] = [await ask(photo), await ask(photo, { mark: '' })];
  assert.equal(marked.word, 0);
  assert.equal(marked.body.readUInt32BE(0), 1);
  assert.deepEqual([marked.body.readUInt32BE(4), marked.body.readUInt32BE(8)], [800, 600]);
  assert.ok(isJpeg(marked.body.subarray(12)));
  assert.notDeepEqual(marked.body, plain.body);
  assert.ok(!marked.body.includes('Exif'));
});

test('a small picture is not blown up, a PNG is read', async () => {
  const r = await ask(png(40, 20, Buffer.alloc((40 * 3 + 1) * 20, 0x80)), { mark: '' });
  assert.equal(r.word, 0);
  assert.deepEqual([r.body.readUInt32BE(4), r.body.readUInt32BE(8)], [40, 20]);
});

test('a PDF gives its sheets one by one', async () => {
  const r = await ask(pdf(3), { sheet: 2, edge: 500 });
  assert.equal(r.word, 0);
  assert.equal(r.body.readUInt32BE(0), 3);
  assert.equal(Math.max(r.body.readUInt32BE(4), r.body.readUInt32BE(8)), 500);
});

test('what is refused is refused in words: kind, size, sheet, edge, request', async () => {
  const cases = [
    [Buffer.from('<svg onload=alert(1)>'), {}, 'want JPEG, PNG or PDF by content'],
    [Buffer.from('GIF89a........'), {}, 'want JPEG, PNG or PDF by content'],
    [photo, { sheet: 2 }, 'a photograph has one sheet'],
    [photo, { edge: 5 }, 'edge want 16 to 4000'],
    [pdf(2), { sheet: 3 }, 'sheet 3: the PDF has 2'],
    [Buffer.from('%PDF-1.7\nnothing'), {}, 'picture:'],
    [png(65000, 65000, Buffer.alloc(64)), {}, 'picture:'],
    [photo, { op: 'X' }, 'malformed request'],
    [photo, { quality: 5 }, 'malformed request'],
    [photo, { mark: '水'.repeat(120) }, 'watermark: want at most 300 bytes'],
  ];
  for (const [file, options, want] of cases) {
    const r = await ask(file, options);
    assert.equal(r.word, 1, `${want}: ${JSON.stringify(r)}`);
    assert.ok(words(r).includes(want), `${words(r)} has no "${want}"`);
  }
});

test('cut and bent pictures end in a picture, a refusal or the death of this child, never in silence', async () => {
  for (let i = 1; i <= 12; i++) {
    const bent = Buffer.from(photo.subarray(0, Math.floor((photo.length * i) / 13)));
    bent[200 + i * 37] ^= 0x55;
    const r = await ask(bent);
    assert.ok(r.word === 0 || r.word === 1 || r.died, JSON.stringify(r).slice(0, 200));
  }
});
