/* Every path of the service that this app uses, once. */
import { api } from "./client";
import type { SearchData, Case, CaseBrief, Catalogue, Choice, DraftBody, Entries, ItemData, Receipt, Session, Slot, Upload, Verdict } from "./types";

export const PART = 512 * 1024;

export const getSession = () => api<Session>("/api/session", { signIn: false });
export const sendCode = (phone: string) =>
  api<{ wait_s: number; sandbox?: boolean }>("/api/login/code", { method: "POST", body: { phone }, signIn: false });
export const login = (phone: string, code: string) =>
  api<Session>("/api/login", { method: "POST", body: { phone, code }, signIn: false });
export const logout = () => api<void>("/api/logout", { method: "POST", signIn: false });

export const getCatalogue = () => api<Catalogue>("/api/catalogue");
export const getSearchData = () => api<SearchData>("/api/catalogue/search", { signIn: false });
/* Words alone: no cookie goes with them. */
export const reportSearch = (query: string): Promise<unknown> =>
  fetch("/api/searches", { method: "POST", credentials: "omit", keepalive: true, headers: { "Content-Type": "application/json", "X-Requested-With": "hz" }, body: JSON.stringify({ query }) });
export const getItem = (code: string, region = "") => api<ItemData>(`/api/catalogue/items/${code}${region ? `?region=${region}` : ""}`);
export const getTable = (id: string) => api<{ id: string; values: Choice[] }>(`/api/catalogue/tables?id=${encodeURIComponent(id)}`);

export const beginUpload = (draft: string, material: number, type: string, size: number) =>
  api<Upload>("/api/uploads", { method: "POST", body: { draft, material, type, size } });
export const getUpload = (id: string) => api<Upload>(`/api/uploads/${id}`);
export const putPart = (id: string, offset: number, part: Blob) =>
  api<Upload>(`/api/uploads/${id}?offset=${offset}`, { method: "PUT", raw: part });
export const dropUpload = (id: string) => api<void>(`/api/uploads/${id}`, { method: "DELETE", signIn: false });

export const checkDraft = (d: DraftBody) => api<Verdict>("/api/applications/check", { method: "POST", body: d });
export interface FaceCheck { hash: string; name: string; id_no: string; face?: string; sandbox_result?: "pass" | "fail" }
export const verifyFace = (f: FaceCheck) =>
  api<{ evidence: string; expires: string }>("/api/identity/verify", { method: "POST", body: f });
export const submit = (key: string, d: DraftBody, evidence: string) =>
  api<Receipt>("/api/applications", { method: "POST", body: { ...d, evidence }, headers: { "Idempotency-Key": key } });

export const getCases = () => api<{ cases: CaseBrief[]; slow: string | null }>("/api/applications", { signIn: false });
export const getCase = (no: string) => api<Case>(`/api/applications/${no}`);
export const unlock = (no: string, last4: string) => api<Case>(`/api/applications/${no}/unlock`, { method: "POST", body: { last4 } });
export const withdraw = (no: string, reason: string) =>
  api<Case>(`/api/applications/${no}/withdraw`, { method: "POST", body: reason ? { reason } : {} });
export interface SupplementBody { draft: string; entries: Entries; materials: Slot[] }
export const sendSupplement = (no: string, key: string, s: SupplementBody) =>
  api<Receipt>(`/api/applications/${no}/supplement`, { method: "POST", body: s, headers: { "Idempotency-Key": key } });
