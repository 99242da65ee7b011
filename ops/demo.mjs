// The demonstration's second half (ops/demo built everything): keys, configuration files, demo data, processes.
//   node ops/demo.mjs start DIR INTERNET_PORT INTRANET_PORT yes|no(mover) yes|no(start)
//   node ops/demo.mjs stop DIR
// All state lives in DIR; DIR/demo.json says what runs and where. Processes are ended by id only, after /proc says they are ours.
import { spawn, execFileSync } from 'node:child_process';
import { chmodSync, closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => path.join(root, 'build/bin', name);
const libexec = (name) => path.join(root, 'build/libexec', name);
const font = '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc';
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function fail(text) {
  process.stderr.write(`ops/demo: ${text}\n`);
  process.exit(1);
}

/** Write a file under its final name only when it is whole. */
function put(file, text, mode = 0o600) {
  const tmp = `${file}.tmp`;
  writeFileSync(tmp, text, { mode });
  chmodSync(tmp, mode);
  renameSync(tmp, file);
}

function freePort() {
  return new Promise((done, no) => {
    const s = net.createServer();
    s.on('error', no);
    s.listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); });
  });
}

function portTaken(port) {
  return new Promise((done) => {
    const s = net.createServer();
    s.on('error', () => done(true));
    s.listen(port, '127.0.0.1', () => s.close(() => done(false)));
  });
}

/** Is this process ours? Its command line must name the folder or the program it was started with. */
function alive(p) {
  try {
    const line = readFileSync(`/proc/${p.pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return line.includes(p.mark);
  } catch { return false; }
}

async function stop(dir) {
  const file = path.join(dir, 'demo.json');
  const demo = JSON.parse(readFileSync(file, 'utf8'));
  const order = ['nginx-internet', 'nginx-intranet', 'internet-side', 'intranet-side', 'mover', 'sandbox'];
  for (const name of order) {
    const p = demo.processes?.[name];
    if (!p || !alive(p)) continue;
    process.kill(p.pid, name.startsWith('nginx') ? 'SIGQUIT' : 'SIGTERM');
    const until = Date.now() + 10000;
    while (alive(p) && Date.now() < until) await sleep(50);
    if (alive(p)) { process.stderr.write(`ops/demo: ${name} (${p.pid}) did not stop in 10 s, killed\n`); process.kill(p.pid, 'SIGKILL'); }
  }
  for (const tmp of demo.temporary ?? []) rmSync(tmp, { recursive: true, force: true });
  demo.processes = {};
  demo.running = false;
  put(file, `${JSON.stringify(demo, null, 2)}\n`);
  console.log('演示已停止 / the demonstration is stopped');
}

function run(program, args) {
  try {
    return execFileSync(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (e) {
    return fail(`${path.basename(program)} ${args.join(' ')}: ${String(e.stderr || e.message).trim().split('\n').slice(-3).join(' | ')}`);
  }
}

function start(demo, name, program, args, dir) {
  const log = path.join(dir, 'logs', `${name}.log`);
  const fd = openSync(log, 'a', 0o600);
  const p = spawn(program, args, { cwd: root, detached: true, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  p.unref();
  if (!p.pid) fail(`${name} could not be started`);
  demo.processes[name] = { pid: p.pid, mark: args[args.length - 1], log };
  return p;
}

async function healthy(url, name, demo, seconds) {
  const until = Date.now() + seconds * 1000;
  let last = 'no answer';
  while (Date.now() < until) {
    try {
      const r = await fetch(url, { signal: AbortSignal.timeout(2000) });
      last = await r.text();
      if (r.status === 200) return;
    } catch (e) { last = e.cause?.code ?? e.message; }
    if (demo.processes[name] && !alive(demo.processes[name])) break;
    await sleep(100);
  }
  const log = demo.processes[name]?.log;
  const tail = log && existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n') : '';
  fail(`${name} is not healthy (${url}): ${last}\n${tail}`);
}

function conf(entries) {
  return Object.entries(entries).filter(([, v]) => v !== undefined).map(([k, v]) => `${k} = ${v}\n`).join('');
}

function folders(dir) {
  const g = path.join(dir, 'gateway');
  const f = {
    internet_outbox: path.join(g, 'internet-outbox'), intranet_inbox: path.join(g, 'intranet-inbox'),
    intranet_outbox: path.join(g, 'intranet-outbox'), internet_inbox: path.join(g, 'internet-inbox'),
  };
  const all = [dir, g, ...Object.values(f), 'internet/keys', 'internet/data', 'internet/run', 'intranet/keys', 'intranet/data', 'intranet/vault', 'intranet/run',
    'gateway/keys', 'internet/run/commands', 'intranet/run/commands', 'gateway/quarantine', 'gateway/status', 'sandbox', 'logs'].map((x) => (path.isAbsolute(x) ? x : path.join(dir, x)));
  for (const x of all) mkdirSync(x, { recursive: true, mode: 0o700 });
  return f;
}

function keys(dir) {
  for (const side of ['internet', 'intranet']) {
    const home = path.join(dir, side, 'keys');
    if (!existsSync(path.join(home, `${side}.key`))) run(bin('ferry'), ['keygen', '--dir', home, '--name', side, '--suite', process.env.HZ_SUITE ?? '1']);
    for (const to of ['internet/keys', 'intranet/keys', 'gateway/keys']) {
      const target = path.join(dir, to, `${side}.pub`);
      if (!existsSync(target)) copyFileSync(path.join(home, `${side}.pub`), target);
    }
  }
}

function secret(file) {
  if (!existsSync(file)) put(file, randomBytes(24).toString('base64url'));
  return readFileSync(file, 'utf8').trim();
}

function nginx(demo, side, port, service, dir) {
  const home = path.join(dir, side, 'run');
  const tmp = existsSync('/dev/shm') ? `/dev/shm/hz-${side}-${port}` : path.join(home, 'tmp');
  mkdirSync(tmp, { recursive: true, mode: 0o700 });
  chmodSync(tmp, 0o711);
  demo.temporary = [...(demo.temporary ?? []), tmp];
  const text = readFileSync(path.join(root, 'ops/nginx/side.conf.in'), 'utf8')
    .replaceAll('@RUN@', home).replaceAll('@TMP@', tmp).replaceAll('@SERVICE@', service).replaceAll('@PORT@', port)
    .replaceAll('@CONNS@', 400).replaceAll('@SECRET@', secret(path.join(dir, side, 'proxy-secret')));
  const file = path.join(home, 'nginx.conf');
  put(file, `${process.getuid() === 0 ? 'user root;\n' : ''}${text.replace('daemon on;', 'daemon off;')}`);
  start(demo, `nginx-${side}`, '/usr/sbin/nginx', ['-e', path.join(home, 'nginx-error.log'), '-c', file], dir);
}

async function main(dir, internetPort, intranetPort, mover, go) {
  dir = path.resolve(dir);
  const file = path.join(dir, 'demo.json');
  const old = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  if (old && Object.values(old.processes ?? {}).some(alive)) fail(`already running in ${dir}; stop it with ops/demo --stop --dir ${dir}`);
  if (go) for (const p of [internetPort, intranetPort]) if (await portTaken(p)) fail(`port ${p} on 127.0.0.1 is taken; choose another with --internet-port / --intranet-port`);

  const f = folders(dir);
  keys(dir);
  const ports = { internet: await freePort(), intranet: await freePort(), sandbox: await freePort() };
  const demo = {
    running: false,
    addresses: { internet: `http://127.0.0.1:${internetPort}`, intranet: `http://127.0.0.1:${intranetPort}`, sandbox: `http://127.0.0.1:${ports.sandbox}` },
    direct: { internet: `http://127.0.0.1:${ports.internet}`, intranet: `http://127.0.0.1:${ports.intranet}` },
    gateway: f, sms_inbox: path.join(dir, 'sandbox/sms-inbox.json'), ferry_conf: path.join(dir, 'ferry.conf'), accounts: [], processes: {},
  };

  start(demo, 'sandbox', process.execPath, [path.join(root, 'ops/sandbox/peer.mjs'), '--port', String(ports.sandbox), '--dir', path.join(dir, 'sandbox')], dir);
  await healthy(`${demo.addresses.sandbox}/healthz`, 'sandbox', demo, 10);
  copyFileSync(path.join(dir, 'sandbox/identity.pub'), path.join(dir, 'intranet/keys/identity.pub'));

  const d = (x) => path.join(dir, x);
  put(d('intranet/intranet.conf'), conf({
    port: ports.intranet, public_origin: demo.addresses.intranet, data_dir: d('intranet/data'), vault_dir: d('intranet/vault'), static_dir: path.join(root, 'build/web/officer'),
    schema_dir: path.join(root, 'schemas'), outbox: f.intranet_outbox, inbox: f.intranet_inbox, quarantine: d('intranet/data/quarantine'),
    own_key: d('intranet/keys/intranet.key'), peer_key: d('intranet/keys/internet.pub'), identity_key: d('intranet/keys/identity.pub'),
    master_key: d('intranet/keys/master.key'), parser: libexec('parser'), imaging: libexec('imaging'), font, caller: libexec('caller'),
    sms_url: demo.addresses.sandbox, proxy_secret: secret(d('intranet/proxy-secret')), status_file: d('intranet/run/status.json'), command_dir: d('intranet/run/commands'),
  }));
  put(d('internet/internet.conf'), conf({
    port: ports.internet, public_origin: demo.addresses.internet, data_dir: d('internet/data'), static_dir: path.join(root, 'build/web/citizen'),
    schema_dir: path.join(root, 'schemas'), base_configuration: d('internet/base.json'), outbox: f.internet_outbox, inbox: f.internet_inbox, quarantine: d('internet/data/quarantine'),
    own_key: d('internet/keys/internet.key'), peer_key: d('internet/keys/intranet.pub'), pepper: d('internet/keys/pepper'), parser: libexec('parser'),
    caller: libexec('caller'), identity_url: demo.addresses.sandbox, sms_url: demo.addresses.sandbox, sandbox: 'yes', hotline: '0562-8000100', rate_scale: process.env.HZ_RATE_SCALE,
    proxy_secret: secret(d('internet/proxy-secret')), status_file: d('internet/run/status.json'), command_dir: d('internet/run/commands'),
  }));
  put(d('ferry.conf'), conf({
    internet_outbox: f.internet_outbox, intranet_inbox: f.intranet_inbox, intranet_outbox: f.intranet_outbox, internet_inbox: f.internet_inbox,
    quarantine: d('gateway/quarantine'), internet_key: d('gateway/keys/internet.pub'), intranet_key: d('gateway/keys/intranet.pub'),
    status_file: d('gateway/status/mover.json'), internet_status: d('internet/run/status.json'), intranet_status: d('intranet/run/status.json'),
    internet_commands: d('internet/run/commands'), intranet_commands: d('intranet/run/commands'),
    internet_quarantine: d('internet/data/quarantine'), intranet_quarantine: d('intranet/data/quarantine'), rescan_s: 1,
    internet_data: d('internet/data'), intranet_data: d('intranet/data'), intranet_vault: d('intranet/vault'), internet_keys: d('internet/keys'), intranet_keys: d('intranet/keys'),
  }));

  if (!existsSync(d('intranet/accounts.json'))) {
    run(bin('intranet-side'), ['--config', d('intranet/intranet.conf'), '--init']);
    run(bin('intranet-side'), ['--config', d('intranet/intranet.conf'), '--load-demo', path.join(root, 'schemas/org'), '--accounts', d('intranet/accounts.json'), '--keep-passwords']);
  }
  run(bin('intranet-side'), ['--config', d('intranet/intranet.conf'), '--export-configuration', d('internet/base.json')]);
  demo.accounts = JSON.parse(readFileSync(d('intranet/accounts.json'), 'utf8')).accounts ?? JSON.parse(readFileSync(d('intranet/accounts.json'), 'utf8'));

  if (go) {
    start(demo, 'intranet-side', bin('intranet-side'), ['--config', d('intranet/intranet.conf')], dir);
    start(demo, 'internet-side', bin('internet-side'), ['--config', d('internet/internet.conf')], dir);
    if (mover) start(demo, 'mover', bin('ferry'), ['run', '--config', d('ferry.conf')], dir);
    nginx(demo, 'internet', internetPort, ports.internet, dir);
    nginx(demo, 'intranet', intranetPort, ports.intranet, dir);
    demo.running = true;
  }
  put(file, `${JSON.stringify(demo, null, 2)}\n`);
  if (!process.env.HZ_TEST) {             // `ferry status` without --config looks at the last demonstration
    const link = path.join(root, 'build/demo-ferry.conf');
    rmSync(link, { force: true });
    symlinkSync(d('ferry.conf'), link);
  }
  if (go) {
    await healthy(`${demo.addresses.internet}/healthz`, 'internet-side', demo, 30);
    await healthy(`${demo.addresses.intranet}/healthz`, 'intranet-side', demo, 30);
    /* A port taken in between would answer in our place: it must be our own door that is open. */
    for (const name of ['nginx-internet', 'nginx-intranet'])
      if (!alive(demo.processes[name])) fail(`${name} did not start: ${readFileSync(path.join(dir, name.slice(6), 'run/nginx-error.log'), 'utf8').trim().split('\n').slice(-2).join(' | ')}`);
  } else {
    process.kill(demo.processes.sandbox.pid, 'SIGTERM');
    demo.processes = {};
    put(file, `${JSON.stringify(demo, null, 2)}\n`);
  }
  tell(demo, dir, go);
}

function tell(demo, dir, go) {
  const rows = demo.accounts.map((a) => `    ${String(a.login).padEnd(18)} ${a.password}    ${a.role_name ?? a.role} · ${a.unit_name ?? a.unit}`).join('\n');
  console.log(`户政演示${go ? '已启动' : '已准备（未启动）'}    ${dir}
  群众端   ${demo.addresses.internet}
  民警端   ${demo.addresses.intranet}
  短信收件箱  ${demo.sms_inbox}   (登录验证码和办理短信都在这里)
  账号 (登录名 口令 角色 · 单位):
${rows}
  摆渡状态   build/bin/ferry status
  停止      ops/demo --stop --dir ${dir}`);
}

const [verb, ...args] = process.argv.slice(2);
if (verb === 'stop') await stop(path.resolve(args[0]));
else if (verb === 'start') await main(args[0], Number(args[1]), Number(args[2]), args[3] === 'yes', args[4] === 'yes');
else fail('want start or stop');
