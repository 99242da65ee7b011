/* Every path of the officers' API that the app uses, once. */
import { get, post, query, send } from "./client";
import type * as T from "./types";

export interface ListQuery { view: T.View; item?: string; state?: string; q?: string; mine?: string; page?: number; size?: number; sort?: string }

export const api = {
  me: () => get<T.Me>("/api/me", true),
  login: (login: string, password: string) => post<T.Me>("/api/login", { login, password }, true),
  logout: () => post<void>("/api/logout", undefined, true),
  password: (old: string, fresh: string) => post<T.Me>("/api/password", { old, new: fresh }),
  desk: () => get<T.Desk>("/api/desk"),
  changes: (since: number) => get<T.Changes>(`/api/changes?since=${since}`, true),
  cases: (q: ListQuery) => get<T.CaseList>(`/api/cases${query({ ...q })}`),
  next: () => post<{ no: string }>("/api/cases/next"),
  case: (no: string) => get<T.Case>(`/api/cases/${no}`),
  claim: (no: string) => post<T.Case>(`/api/cases/${no}/claim`),
  release: (no: string) => post<T.Case>(`/api/cases/${no}/release`),
  preview: (no: string, d: T.Decision) => post<T.Preview>(`/api/cases/${no}/preview`, d),
  decide: (no: string, d: T.Decision) => post<T.Decided>(`/api/cases/${no}/decide`, d),
  undo: (no: string) => post<T.Case>(`/api/cases/${no}/undo`),
  note: (no: string, field: string, note: string) => post<T.Case>(`/api/cases/${no}/notes`, { field, note }),
  page: (no: string, id: string, seen: boolean, verdict?: T.Verdict) =>
    post<void>(`/api/cases/${no}/pages/${id}`, verdict ? { seen, verdict } : { seen }),
  scan: (no: string, kind: T.ScanKind, file: Blob) => send<T.Case>(`/api/cases/${no}/scans${query({ kind })}`, file),
  caseFlow: (no: string) => get<T.CaseFlow>(`/api/cases/${no}/flow`),
  flows: () => get<{ flows: T.Flow[] }>("/api/flows"),
  effect: (no: string) => get<T.Effect>(`/api/cases/${no}/effect`),
  effectWith: (no: string, completion: Record<string, string>) => post<T.Effect>(`/api/cases/${no}/effect`, { completion }),
  reverse: (no: string, reason: string, confirm_text: string) => post<T.Case>(`/api/cases/${no}/reverse`, { reason, confirm_text }),
  reasons: (item: string) => get<T.Reasons>(`/api/reasons/${item}`),
  reveal: (field: string, of: { no?: string; person?: string }, purpose?: string) =>
    post<{ value: string }>("/api/reveal", { ...of, field, ...(purpose ? { purpose } : {}) }),
  persons: (q: { id_no?: string; name?: string; birth_date?: string }) => get<T.PersonHits>(`/api/register/persons${query(q)}`),
  person: (id: string) => get<T.PersonFile>(`/api/register/persons/${id}`),
  units: () => get<{ units: T.Unit[] }>("/api/units"),
  officers: () => get<{ officers: T.Officer[] }>("/api/officers"),
  addOfficer: (o: { login: string; name: string; role: T.Role; unit: string }) =>
    post<{ officer: T.Officer; first_password: string }>("/api/officers", o),
  officerAct: (id: string, act: "disable" | "enable" | "unlock" | "reset") =>
    post<{ officer: T.Officer; first_password?: string }>(`/api/officers/${id}/${act}`),
  searches: (from: string, to: string) => get<T.SearchReport>(`/api/reports/searches${query({ from, to })}`),
  exceptions: () => get<{ exceptions: T.ExceptionRow[] }>("/api/exceptions"),
  retry: (id: string) => post<{ word: string; reason?: string }>(`/api/exceptions/${id}/retry`),
  configuration: () => get<T.Configuration>("/api/configuration"),
  items: () => get<{ items: T.ItemName[] }>("/api/configuration/items"),
  confItems: (region: string) => get<T.ConfItems>(`/api/configuration/catalogue${query({ region })}`),
  confItem: (code: string, region: string) => get<T.ConfEdit>(`/api/configuration/catalogue/${code}${query({ region })}`),
  confPreview: (changes: T.ConfChange[]) => post<{ findings: T.Finding[]; words: T.ConfWord[] }>("/api/configuration/preview", { changes }),
  confList: () => get<T.ConfList>("/api/configuration/changes"),
  confAdd: (changes: T.ConfChange[], title?: string) => post<T.ChangeSet>("/api/configuration/changes", { changes, ...(title ? { title } : {}) }),
  confSave: (id: string, version: number, changes: T.ConfChange[]) => post<T.ChangeSet>(`/api/configuration/changes/${id}`, { version, changes }),
  confAct: (id: string, act: "submit" | "release" | "return" | "drop" | "decline", body: { version: number; reason?: string; base?: number }) =>
    post<T.ChangeSet>(`/api/configuration/changes/${id}/${act}`, body),
  confRestore: (version: number) => post<T.ChangeSet>(`/api/configuration/versions/${version}/restore`),
};

export const pageUrl = (no: string, id: string, size: "thumb" | "full", sheet = 1) =>
  `/api/cases/${no}/pages/${id}${query({ size, sheet: sheet > 1 ? sheet : undefined })}`;
