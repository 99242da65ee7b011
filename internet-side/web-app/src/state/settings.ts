/* What this device remembers about how to show things: 长辈版, the district and nicknames. Nothing of it leaves the device. */
import { reactive } from "vue";

const ELDER = "hz.elder";
const NICK = "hz.nick.";

const REGION = "hz.region";

export const settings = reactive({ elder: localStorage.getItem(ELDER) === "1", region: localStorage.getItem(REGION) || "" });

/* The district whose lists are shown; "" is the whole city. */
export function setRegion(code: string): void {
  settings.region = code;
  localStorage.setItem(REGION, code);
}

export function setElder(on: boolean): void {
  settings.elder = on;
  localStorage.setItem(ELDER, on ? "1" : "0");
  applyElder();
}
export function applyElder(): void {
  document.documentElement.classList.toggle("elder", settings.elder);
}

export const nickname = (no: string): string => localStorage.getItem(NICK + no) || "";
export function setNickname(no: string, name: string): void {
  if (name) localStorage.setItem(NICK + no, name);
  else localStorage.removeItem(NICK + no);
}

/* Inside WeChat or a partner's app the host draws title and back arrow. */
const agent = navigator.userAgent;
export const inHost = /MicroMessenger|AlipayClient|wanshitong/i.test(agent) || /[?&]host=/.test(location.search);
