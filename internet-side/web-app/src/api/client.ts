/* One way out to the service: CSRF, errors in words, signing in again on top of the page. */
import type { ErrorBody, Finding } from "./types";

export class ApiError extends Error {
  readonly code: string;
  readonly request: string;
  readonly fields: Finding[];
  readonly retryS: number;
  readonly triesLeft: number | undefined;
  constructor(body: Partial<ErrorBody>, fallback: string) {
    super(body.message || fallback);
    this.code = body.code || "internal";
    this.request = body.request || "";
    this.fields = body.fields || [];
    this.retryS = body.retry_s || 0;
    this.triesLeft = body.tries_left;
  }
  /* No answer came: nothing is known about what the service did. */
  get lost(): boolean {
    return this.code === "offline" || this.code === "timeout";
  }
}

const TIMEOUT_MS = 30000;
let csrf = "";
let askSignIn: (() => Promise<boolean>) | null = null;

export function setCsrf(token: string): void {
  csrf = token;
}

/* Called when the service says that nobody is signed in; resolves to true once somebody is. */
export function onSignInNeeded(ask: () => Promise<boolean>): void {
  askSignIn = ask;
}

export interface Call {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  raw?: Blob;
  headers?: Record<string, string>;
  /* Show the sign-in sheet and try again (default), or let the caller decide. */
  signIn?: boolean;
}

function headersOf(call: Call): Record<string, string> {
  const h: Record<string, string> = { Accept: "application/json", ...call.headers };
  if (call.body !== undefined) h["Content-Type"] = "application/json";
  if (call.raw) h["Content-Type"] = "application/octet-stream";
  if (call.method && call.method !== "GET") {
    h["X-Requested-With"] = "hz";
    if (csrf) h["X-CSRF-Token"] = csrf;
  }
  return h;
}

async function send(path: string, call: Call): Promise<Response> {
  const stop = typeof AbortController === "function" ? new AbortController() : null;
  const timer = setTimeout(() => stop && stop.abort(), TIMEOUT_MS);
  const init: RequestInit = { method: call.method || "GET", headers: headersOf(call), credentials: "same-origin" };
  if (call.body !== undefined) init.body = JSON.stringify(call.body);
  if (call.raw) init.body = call.raw;
  if (stop) init.signal = stop.signal;
  try {
    return await fetch(path, init);
  } catch (x) {
    const late = (x as Error).name === "AbortError";
    throw new ApiError({ code: late ? "timeout" : "offline" }, late ? "网络较慢，没有等到回答" : "没有网络，填的内容已存在手机上");
  } finally {
    clearTimeout(timer);
  }
}

async function errorOf(r: Response): Promise<ApiError> {
  const ours = "没有办成，是我们的问题。内容已保存，请稍后再试";
  try {
    const body = (await r.json()) as { error?: ErrorBody };
    return new ApiError(body.error || {}, ours);
  } catch {
    return new ApiError({ code: r.status === 503 ? "unavailable" : "internal" }, ours);
  }
}

export async function api<T>(path: string, call: Call = {}): Promise<T> {
  let r = await send(path, call);
  if (r.status === 401 && call.signIn !== false && askSignIn && (await askSignIn())) r = await send(path, call);
  if (!r.ok) throw await errorOf(r);
  if (r.status === 204) return undefined as T;
  try {
    return (await r.json()) as T;
  } catch {
    /* An answer cut short is as good as none. */
    throw new ApiError({ code: "timeout" }, "网络较慢，没有等到回答");
  }
}

/* 128 random bits in lower hex, as every id of the service. */
export function newId(): string {
  const bytes = new Uint8Array(16);
  crypto.getRandomValues(bytes);
  return Array.from(bytes, (b) => ("0" + b.toString(16)).slice(-2)).join("");
}
