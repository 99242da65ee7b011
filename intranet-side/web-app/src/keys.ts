/* Keyboard of the desk. Only F-keys and bare letters: Ctrl/Alt with a digit belong to the browser. A dialog or page pushes its
 * table of keys while it is there; the top table alone is asked, so F2 under an open dialog does nothing to the case beneath.
 * Letters are silent while somebody types; F-keys and Ctrl+Enter are not. */
import { onBeforeUnmount, onMounted, shallowReactive } from "vue";

export interface KeyLine {
  key: string; /* "F2", "d", "ArrowDown", "Ctrl+Enter", "PageDown" … letters in lower case */
  word: string; /* what F1 shows; empty hides it */
  act: (e: KeyboardEvent) => void;
  typing?: boolean; /* also while an input has the focus */
}
interface Scope { lines: () => KeyLine[]; inherit: boolean }

export const scopes = shallowReactive<Scope[]>([]);

/* Chromium's own: F1 help, F3 search, F5 reload, F6 address, F7 caret, F10 menu, F11, F12. We take the others back. */
const OURS = /^F(1|2|4|8|9)$/;

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit"].includes(target.type);
}

function nameOf(e: KeyboardEvent): string {
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  return (e.ctrlKey ? "Ctrl+" : "") + key;
}

function lineFor(name: string): KeyLine | undefined {
  for (let i = scopes.length - 1; i >= 0; i--) {
    const scope = scopes[i]!;
    const hit = scope.lines().find((l) => l.key === name);
    if (hit) return hit;
    if (!scope.inherit) return undefined;
  }
  return undefined;
}

function onKey(e: KeyboardEvent): void {
  if (e.isComposing || e.altKey || e.metaKey) return;
  const name = nameOf(e);
  const line = lineFor(name);
  if (OURS.test(name)) e.preventDefault();
  if (!line) return;
  const special = OURS.test(name) || name.startsWith("Ctrl+") || line.typing;
  if (isTyping(e.target) && !special) return;
  e.preventDefault();
  if (!e.repeat || /^Arrow|^Page/.test(name)) line.act(e);
}

/* inherit: keys that this table does not know fall through to the one below (a page above the frame); a dialog does not. */
export function useKeys(lines: () => KeyLine[], inherit = true): void {
  const scope: Scope = { lines, inherit };
  onMounted(() => scopes.push(scope));
  onBeforeUnmount(() => {
    const at = scopes.indexOf(scope);
    if (at >= 0) scopes.splice(at, 1);
  });
}

/* In forms Enter goes to the next field and never submits, as officers are used to. */
export function enterGoesOn(e: KeyboardEvent): void {
  const from = e.target as HTMLElement;
  if (e.isComposing || e.ctrlKey || from.tagName === "TEXTAREA" || from.tagName === "BUTTON") return;
  if (from.getAttribute("role") === "combobox") return; /* there Enter opens the list or takes a line of it */
  const root = e.currentTarget as HTMLElement;
  const fields = [...root.querySelectorAll<HTMLElement>("input,select,textarea,button[data-next]")].filter(
    (x) => !x.hasAttribute("disabled") && x.tabIndex >= 0,
  );
  const next = fields[fields.indexOf(from) + 1];
  e.preventDefault();
  next?.focus();
}

let listening = false;
export function listenToKeys(): void {
  if (listening) return;
  listening = true;
  window.addEventListener("keydown", onKey);
}
