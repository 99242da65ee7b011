/* One way to the server. A failure is always a Failure whose message can be shown as it stands; a request that may or may not
 * have arrived says so, because a decision must never seem taken when it was not. */
import type { Finding } from "./types";

const DEADLINE_MS = 20_000;
const LOST = "连接中断";

export class Failure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: Finding[] = [],
    readonly request = "",
  ) {
    super(message);
  }
  /* The answer never came: network, deadline, or a gateway in between. */
  get lost(): boolean {
    return this.status === 0;
  }
}

let csrf = "";
let onSessionLost: () => void = () => undefined;

export function setCsrf(token: string): void {
  csrf = token;
}
export function whenSessionLost(act: () => void): void {
  onSessionLost = act;
}

interface ErrorBody {
  error?: { code?: string; message?: string; request?: string; fields?: Finding[] };
}

async function failureOf(answer: Response): Promise<Failure> {
  let body: ErrorBody = {};
  try {
    body = (await answer.json()) as ErrorBody;
  } catch {
    /* a proxy's page: the status is all there is */
  }
  const e = body.error ?? {};
  const words = e.message ?? (answer.status >= 500 ? "没有办成，是系统的问题，请稍后再试" : "没有办成，请刷新后再试");
  const number = e.request && answer.status >= 500 ? `（编号 ${e.request}）` : "";
  return new Failure(answer.status, e.code ?? "internal", words + number, e.fields ?? [], e.request ?? "");
}

async function call<T>(method: string, path: string, body?: unknown, quiet401 = false): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-Requested-With"] = "hz";
    if (csrf) headers["X-CSRF-Token"] = csrf;
    if (body !== undefined) headers["Content-Type"] = body instanceof Blob ? body.type || "application/octet-stream" : "application/json";
  }
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      body: body === undefined ? null : body instanceof Blob ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } catch (e) {
    throw new Failure(0, e instanceof DOMException && e.name === "TimeoutError" ? "timeout" : "unavailable", LOST);
  }
  if (!answer.ok) {
    const failure = await failureOf(answer);
    if (failure.status === 401 && !quiet401) onSessionLost();
    throw failure;
  }
  return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T);
}

export const get = <T>(path: string, quiet401 = false) => call<T>("GET", path, undefined, quiet401);
export const post = <T>(path: string, body?: unknown, quiet401 = false) => call<T>("POST", path, body, quiet401);
/* A file as it is. */
export const send = <T>(path: string, file: Blob) => call<T>("POST", path, file);

export function query(values: Record<string, string | number | undefined>): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v !== undefined && v !== "") q.set(k, String(v));
  const text = q.toString();
  return text ? `?${text}` : "";
}
