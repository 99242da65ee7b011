// make bench-ferry: sealing and opening of 200 MB beside the sum of their parts, and beside the peers that a city could use instead, all in one run on one
// disk; rounds are interleaved, so that a noisy moment strikes all alike. An aim missed and a peer that is not installed are printed facts.
// BENCH_MIB=200, BENCH_ROUNDS=5 by default. Figures also go to build/bench-ferry.json.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../../..');
const mib = Number(process.env.BENCH_MIB ?? 200), rounds = Number(process.env.BENCH_ROUNDS ?? 5);
mkdirSync(path.join(root, 'build'), { recursive: true });
const dir = mkdtempSync(path.join(root, 'build/bench-ferry-'));
const at = (x) => path.join(dir, x);
const median = (v) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];
const have = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const sh = (script) => execFileSync('bash', ['-ec', `set -o pipefail; cd '${dir}'; ${script}`], { env: { ...process.env, GNUPGHOME: at('gnupg') }, stdio: ['ignore', 'pipe', 'pipe'] });

/** Seconds of a command line, the bytes on the disk included. */
function timed(script) {
  const began = process.hrtime.bigint();
  sh(script);
  return Number(process.hrtime.bigint() - began) / 1e9;
}

const peers = {
  'cp + sync': { program: 'cp', setup: '', seal: 'cp all.bin copy.bin && sync -d copy.bin', open: 'cp copy.bin back.bin' },
  'gpg -s -e': {
    program: 'gpg',
    setup: `mkdir -m 700 gnupg; for who in from to; do gpg --batch -q --passphrase '' --quick-gen-key $who@example.invalid ed25519 sign never;
      gpg --batch -q --passphrase '' --quick-add-key $(gpg --batch --with-colons -k $who@example.invalid | awk -F: '/^fpr/ {print $10; exit}') cv25519 encr never; done`,
    seal: 'gpg --batch --yes -q --trust-model always -z 0 -u from@example.invalid -r to@example.invalid -s -e -o out.gpg all.bin && sync -d out.gpg',
    open: 'gpg --batch --yes -q --trust-model always -o back.bin -d out.gpg',
  },
  'openssl cms': {
    program: 'openssl',
    setup: 'for who in from to; do openssl req -x509 -newkey rsa:3072 -nodes -days 2 -subj /CN=$who -keyout $who.key -out $who.crt 2>/dev/null; done',
    seal: `openssl cms -sign -binary -nodetach -stream -signer from.crt -inkey from.key -outform DER -in all.bin |
      openssl cms -encrypt -binary -stream -aes-256-cbc -outform DER -out out.cms to.crt && sync -d out.cms`,
    open: `openssl cms -decrypt -binary -inform DER -in out.cms -inkey to.key -recip to.crt | openssl cms -verify -binary -inform DER -noverify -certfile from.crt -out back.bin 2>/dev/null`,
  },
  age: {
    program: 'age',
    setup: 'age-keygen -o age.key 2>/dev/null; age-keygen -y age.key > age.pub',
    seal: 'age -R age.pub -o out.age all.bin && sync -d out.age',
    open: 'age -d -i age.key -o back.bin out.age',
  },
};

// XML signature and encryption have no pieces: what crosses in one is held several times in memory, so they get the content as we send it, 4 MiB in a file.
const sig = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><Reference URI=""><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/></Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference></SignedInfo><SignatureValue/></Signature>';
const enc = '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element"><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><EncryptedKey xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><KeyName/></KeyInfo><CipherData><CipherValue/></CipherData></EncryptedKey></KeyInfo><CipherData><CipherValue/></CipherData></EncryptedData>';
peers.xmlsec1 = {
  program: 'xmlsec1',
  setup: `mkdir x; cd x; for who in from to; do openssl req -x509 -newkey rsa:3072 -nodes -days 2 -subj /CN=$who -keyout $who.key -out $who.crt 2>/dev/null; done
    split -b 4M ../all.bin part-; echo '${enc}' > enc.tmpl; echo '${sig}' > sig.tmpl`,
  seal: `cd x; for p in part-*; do { printf '<Envelope><Chunk>'; base64 -w0 $p; printf '</Chunk>'; cat sig.tmpl; printf '</Envelope>'; } > doc.xml
    xmlsec1 --sign --privkey-pem from.key --output signed.xml doc.xml
    xmlsec1 --encrypt --pubkey-cert-pem to.crt --session-key aes-256 --xml-data signed.xml --node-xpath /Envelope --output out-$p enc.tmpl; sync -d out-$p; done`,
  open: `cd x; for p in part-*; do xmlsec1 --decrypt --privkey-pem to.key --output back-$p out-$p; xmlsec1 --verify --pubkey-cert-pem from.crt back-$p 2>/dev/null; done`,
  check: `cd x; for p in part-*; do tr '<>' '\n\n' < back-$p | grep -A1 '^Chunk$' | tail -1 | base64 -d | cmp -s - $p; done`,
};

const data = { mib, rounds: [], peers: {}, missing: [] };
try {
  mkdirSync(at('ours'), { mode: 0o700 });
  const bench = (n) => execFileSync(path.join(root, 'build/release/bench/ferry_seal'), [at('ours'), String(mib), String(n)], { encoding: 'utf8', maxBuffer: 1 << 20 }).trim().split('\n').map((l) => JSON.parse(l));
  bench(1);                                              // makes all.bin, for the peers
  sh('ln ours/all.bin all.bin');
  const running = Object.entries(peers).filter(([name, p]) => {
    if (!have(p.program)) { data.missing.push(name); return false; }
    sh(p.setup || 'true');
    data.peers[name] = { seal: [], open: [] };
    return true;
  });
  for (let i = 0; i < rounds; i++) {
    data.rounds.push(...bench(1));
    for (const [name, p] of running) {
      data.peers[name].seal.push(timed(p.seal));
      data.peers[name].open.push(timed(p.open));
      sh(p.check ?? 'cmp -s all.bin back.bin');
    }
  }
  const size = statSync(at('all.bin')).size / 1e6;
  const parts = { seal: ['hash', 'encrypt', 'base64', 'write'], open: ['read', 'unbase64', 'decrypt', 'hash'] };
  for (const what of ['seal', 'open']) {
    const sum = (r) => parts[what].reduce((s, p) => s + r[p], 0), ours = `ours_${what}`;
    const ratios = data.rounds.map((r) => sum(r) / r[ours]), cpu = median(data.rounds.map((r) => (sum(r) + r.digest) / r[`cpu_${what}`]));
    data[what] = { ratio: median(ratios), cpu, seconds: median(data.rounds.map((r) => r[ours])) };
    console.log(`${what}: ours ${(size / data[what].seconds).toFixed(0)} MB/s; parts ${[...parts[what], 'digest'].map((p) => `${p} ${(size / median(data.rounds.map((r) => r[p]))).toFixed(0)}`).join(', ')} MB/s; beside them the parser child ${(size / median(data.rounds.map((r) => r.parse))).toFixed(0)} MB/s`);
    console.log(`${what}: sum of the parts / ours: min ${Math.min(...ratios).toFixed(2)} median ${data[what].ratio.toFixed(2)} max ${Math.max(...ratios).toFixed(2)} (aim 0.80): ${data[what].ratio >= 0.8 ? 'reached' : 'NOT reached'}; with two threads on ${availableParallelism()} cores; parts with the file's digest / processor time of ours ${cpu.toFixed(2)}`);
    for (const [name] of running) {
      const times = data.rounds.map((r, i) => data.peers[name][what][i] / r[`ours_${what}`]);
      const ahead = median(times) > 1, must = !['cp + sync', 'age'].includes(name);
      console.log(`${what}: ${name}: ${(size / median(data.peers[name][what])).toFixed(0)} MB/s, takes ${median(times).toFixed(2)} of our time${must ? ` (aim: more than 1): ${ahead ? 'reached' : 'NOT reached'}` : ''}`);
    }
  }
  for (const name of data.missing) console.log(`${name}: not installed here, not measured (apt-get install ${peers[name].program})`);
  writeFileSync(path.join(root, 'build/bench-ferry.json'), `${JSON.stringify(data, null, 1)}\n`);
} finally { rmSync(dir, { recursive: true, force: true }); }
