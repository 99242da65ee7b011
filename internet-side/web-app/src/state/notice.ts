/* One line that says what just happened, for the eye and for screen readers. */
import { reactive } from "vue";

export const notice = reactive({ text: "", alert: false, n: 0 });
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string, alert = false): void {
  notice.text = text;
  notice.alert = alert;
  notice.n++;
  clearTimeout(timer);
  timer = setTimeout(() => { notice.text = ""; }, alert ? 8000 : 4000);
}

export const online = reactive({ yes: navigator.onLine });
window.addEventListener("online", () => { online.yes = true; });
window.addEventListener("offline", () => { online.yes = false; });
