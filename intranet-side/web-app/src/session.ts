/* Who is signed in, what changed since the last look, what is open. One poll every 5 s feeds every page. */
import { computed, reactive } from "vue";
import { api } from "./api/calls";
import { Failure, setCsrf, whenSessionLost } from "./api/client";
import type { Changes, Counts, Channel, Me } from "./api/types";
import { clockNow } from "./format";
import { w } from "./words";

const POLL_MS = 5_000;
const TABS_MAX = 5;

export interface OpenCase { no: string; name: string }

export const session = reactive({
  me: null as Me | null,
  expired: false, /* the server says 401 while pages are open: sign in on top, nothing typed is lost */
  channel: null as Channel | null,
  counts: null as Counts | null,
  seq: 0,
  online: true,
  minute: clockNow(),
  open: [] as OpenCase[],
  order: [] as string[], /* case numbers of the list the officer came from, for previous / next */
  origin: "/cases?view=todo", /* address of that list, with its filters */
  turn: 0, /* goes up when the page that is open must be read anew */
  focusNo: "", /* row the focus returns to */
});

type Listener = (c: Changes) => void;
const listeners = new Set<Listener>();
export function onChanges(f: Listener): () => void {
  listeners.add(f);
  return () => listeners.delete(f);
}

export const channelNow = computed<Channel>(() =>
  session.online ? (session.channel ?? { ok: true, text: "" }) : { ok: false, text: w.channelLost },
);

export function setMe(me: Me): void {
  session.me = me;
  session.expired = false;
  session.channel = me.channel;
  setCsrf(me.csrf);
}

async function poll(): Promise<void> {
  session.minute = clockNow();
  if (!session.me || session.me.must_change_password || session.expired) return;
  try {
    const c = await api.changes(session.seq);
    session.online = true;
    session.seq = c.seq;
    session.counts = c.counts;
    session.channel = c.channel;
    for (const f of listeners) f(c);
  } catch (e) {
    if (e instanceof Failure && e.status === 401) session.expired = true;
    else if (e instanceof Failure && e.lost) session.online = false;
  }
}

let timer = 0;
export function startPolling(): void {
  if (timer) return;
  whenSessionLost(() => {
    if (session.me) session.expired = true;
  });
  const again = async () => {
    await poll();
    timer = window.setTimeout(again, POLL_MS);
  };
  timer = window.setTimeout(again, 0);
}

export function remember(no: string, name: string): void {
  const at = session.open.findIndex((c) => c.no === no);
  if (at >= 0) return;
  session.open.push({ no, name });
  if (session.open.length > TABS_MAX) session.open.shift();
}
export function forget(no: string): void {
  session.open = session.open.filter((c) => c.no !== no);
}
export function may(nav: string): boolean {
  return session.me?.nav ? session.me.nav.includes(nav) : true;
}
export function endSession(): void {
  session.me = null;
  session.expired = false;
  session.open = [];
  session.order = [];
  session.seq = 0;
  session.counts = null;
  setCsrf("");
}
