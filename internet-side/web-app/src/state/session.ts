/* Who is using the app, and the one sheet that asks to sign in without leaving the page. */
import { reactive } from "vue";
import { getSession, logout } from "@/api/calls";
import { onSignInNeeded, setCsrf } from "@/api/client";
import type { Session } from "@/api/types";

interface State { session: Session | null; sheet: boolean; expired: boolean; skewMs: number }

export const who = reactive<State>({ session: null, sheet: false, expired: false, skewMs: 0 });
let waiting: Promise<boolean> | null = null;
let settle: ((ok: boolean) => void) | null = null;
let loading: Promise<Session> | null = null;

export function adoptSession(s: Session): void {
  who.session = s;
  who.skewMs = Date.parse(s.now) - Date.now() || 0;
  setCsrf(s.csrf);
}

export function refreshSession(): Promise<Session> {
  loading ||= getSession()
    .then((s) => (adoptSession(s), s))
    .finally(() => { loading = null; });
  return loading;
}

export const signedIn = (): boolean => !!who.session?.signed_in;

/* Resolves when the person has signed in (true) or closed the sheet (false). */
export function askSignIn(): Promise<boolean> {
  waiting ||= new Promise<boolean>((resolve) => {
    who.expired = signedIn();
    who.sheet = true;
    settle = resolve;
  }).finally(() => { waiting = null; settle = null; });
  return waiting;
}

export function closeSheet(ok: boolean): void {
  who.sheet = false;
  if (settle) settle(ok);
}

export async function signOut(): Promise<void> {
  await logout();
  sessionStorage.removeItem(PHONE);
  await refreshSession();
}

/* The number typed at sign-in, for the form's "您的手机号"; gone with the tab. */
const PHONE = "hz.phone";
export const rememberPhone = (phone: string): void => sessionStorage.setItem(PHONE, phone);
export const typedPhone = (): string => sessionStorage.getItem(PHONE) || "";

/* The service's clock, so a wrong clock on the phone moves no date. */
export const nowMs = (): number => Date.now() + who.skewMs;

onSignInNeeded(askSignIn);
