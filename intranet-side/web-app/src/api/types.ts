/* The shapes of schemas/openapi/intranet.yaml that this app reads and writes. */
export type Role = "aux" | "officer" | "sub_bureau" | "admin";
export type Tone = "neutral" | "work" | "turn" | "done" | "refused" | "correction" | "paused";
export type View = "todo" | "doing" | "continue" | "done";

export interface Unit { code: string; name: string; short?: string; parent?: string; level: string; address?: string; phone?: string }
export interface Channel { ok: boolean; text: string; age_s?: number }
export interface Counts { todo: number; claimable: number; doing: number; done: number; supplemented: number; originals: number; due: number; [k: string]: number }
export interface Finding { field: string; rule: string; want?: string; have?: string; message: string }

export interface Me {
  name: string; login: string; role: Role; role_name?: string; unit: Unit; csrf: string; must_change_password: boolean;
  address: string; idle_s?: number; config_version: number; nav?: string[]; channel: Channel;
}
export interface Clock { text: string; tone: Tone; days?: number; deadline?: string }
export interface CaseRow {
  no: string; item: string; item_name: string; person: string; id_no: string; state: string; internal: string; icon: string; tone: Tone;
  channel: string; submitted: string; holder?: string; held_since?: string; next?: string; since?: string; clock: Clock; pages?: { done: number; total: number };
}
export interface CaseList { rows: CaseRow[]; total: number; page: number; size: number; seq: number; counts: Counts }
export interface Desk {
  counts: Counts; oldest?: Record<string, string>; due: CaseRow[]; notices?: { at: string; text: string; no?: string; to?: string }[]; channel: Channel;
}
export interface Changes { seq: number; changed: { no: string; kind: "new" | "changed" | "gone" }[]; counts: Counts; channel: Channel }

export interface FormRow {
  field: string; person?: string; label: string; value: string; masked?: boolean; register?: string | null; differs?: boolean;
  check?: "ok" | "differs" | "none" | "unavailable"; note?: string; untypeable?: string; untypeable_page?: string;
}
export interface Section { title: string; rows: FormRow[] }
export type PageState = "here" | "coming" | "unreadable";
export type Verdict = "good" | "blurred" | "incomplete" | "mismatch" | "expired" | "none";
export interface Page { id: string; n: number; type?: string; sheets?: number; state: PageState; seen?: boolean; verdict?: string }
export interface Material {
  no: number; name: string; alternative?: string; requirement?: string; original?: boolean; round?: number; pages: Page[];
}
export type Need = "complete_materials" | "opinion" | "reasons" | "rule" | "date" | "level" | "confirm_text" | "completion" | "scan:permit" | "scan:certificate";
export interface Action {
  action: string; label: string; key?: string | null; main?: boolean; needs: Need[]; enabled: boolean; why_not?: string; undoable?: boolean;
  register?: string;
}
export type ScanKind = "permit" | "certificate";
export interface FlowState { id: string; internal: string; phase: "review" | "originals" | "completion" | "end"; final: boolean; days: number; clock: "ours" | "citizen" | "stopped"; citizen: string; tone: Tone }
export interface FlowStep { action: string; label: string; from: string[]; to: string; who: string[]; main: boolean; stage: string }
export interface Flow {
  id: string; number: string; title: string; variant: "officer" | "aux"; days: number; initial: string; why: string[]; states: FlowState[]; transitions: FlowStep[];
}
export interface CaseFlow { flow: Flow; state: string; passed: string[] }
export interface Change { who?: string; what: string; before: string; after: string }
export interface Event {
  at: string; text: string; who?: string; unit?: string; role?: string; action?: string; opinion?: string; state?: string;
  before?: string; after?: string; no?: string; kind?: "person" | "household" | "paper"; subject?: string; undone?: boolean;
}
export interface Summary { changes?: Change[]; rule?: string; opinions?: Event[]; open_points?: string[]; verified?: string[] }
export interface Check { what: string; source?: string; at?: string; result: "passed" | "differs" | "unchecked" | "unavailable"; text?: string }
export interface Case {
  no: string; item: string; item_name: string; state: string; internal: string; icon: string; tone: Tone; version: number;
  submitted: string; received?: string; channel: string; unit: Unit; clock: Clock; holder?: string; held_by_me?: boolean;
  claimable?: boolean; pages: { done: number; total: number; seen?: number }; differences?: { total: number; noted: number };
  undo_until?: string | null; sections: Section[]; materials: Material[]; actions: Action[]; summary?: Summary; trail: Event[];
  related: CaseRow[]; checks: Check[]; messages: { at: string; text: string; state: string }[];
  crossing?: { submitted?: string; received?: string; confirmed?: string }; key_revoked?: boolean;
  reversal?: { offered: boolean; why_not: string; at: string };
}
export interface Reason { material?: number; field?: string; kind?: string; text: string }
export interface Decision {
  action: string; version: number; opinion?: string; sentence?: string; reasons?: Reason[]; rule?: string; remedy?: string;
  date?: string; level?: string; confirm_text?: string; unseen_ok?: boolean; completion?: Record<string, string>;
}
export interface Decided { state: string; internal: string; undo_until: string | null; next?: string | null }
export interface Citizen {
  icon?: string; tag?: string; tone?: Tone; sentence?: string; rows?: { name: string; reason: string }[]; deadline?: string;
}
export interface Preview { citizen?: Citizen | null; sms?: string | null; findings: Finding[] }
export interface DoneField {
  id: string; label: string; hint?: string; type: "text" | "date" | "enum" | "book_no" | "id_number" | "phone"; values?: { code: string; label: string }[];
  required: boolean; when?: { field: string; in?: string[]; not_in?: string[]; prefix?: string[]; absent?: boolean }[];
}
export interface Effect { title: string; changes: Change[]; obstacles: string[]; warnings: string[]; completion: DoneField[]; completed?: Record<string, string> | null }

export interface ReasonTemplate {
  id: string; target?: "material" | "field"; label: string; text: string; choices?: Record<string, string[]>;
}
export interface RefusalRule { id: string; rule: string; reason: string; remedy: string }
export interface Reasons {
  supplement: ReasonTemplate[]; refusal: RefusalRule[]; opinions: { action: string; texts: string[] }[]; deadline?: string;
  originals_bad?: ReasonTemplate[]; withdraw_denied?: ReasonTemplate[]; terminated?: ReasonTemplate[]; recalled?: ReasonTemplate[];
}
export interface PersonRow {
  id: string; name: string; former_name?: string; id_no: string; gender?: string; birth_date?: string; relation?: string;
  address?: string; unit?: string; status: string;
}
export interface PersonHits { persons: PersonRow[]; total: number; took_ms: number }
export interface Paper { kind: string; no: string; issued: string; valid_until: string; status: string; reason: string }
export interface PersonFile { person: FormRow[]; household: PersonRow[]; history: Event[]; papers: Paper[] }
export interface Officer {
  id: string; login: string; name: string; role: Role; role_name?: string; unit: string; unit_name?: string; enabled: boolean;
  locked: boolean; must_change_password?: boolean; last_login?: string;
}
export interface ExceptionRow { id: string; kind: string; no?: string; word: "held" | "refused" | "waiting"; reason: string; at: string }
export interface Configuration { version: number; hash: string; published?: string; peer_version: number; same: boolean }
export interface ItemName { code: string; name: string; plain_name?: string }

/* Searches of citizens that found nothing: words and counts. */
export interface SearchReport { from: string; to: string; total: number; times: number; searches: { text: string; count: number; days: number; last: string }[] }
export interface Condition { field: string; in?: (string | boolean)[]; not_in?: (string | boolean)[]; prefix?: string[] }
export interface CodeValue { code: string; label: string }
export interface ConfMaterial {
  no: number; name: string; plain_name?: string | null; condition?: string | null; requirement: "required" | "conditional" | "one_of"; group?: string | null;
  original?: boolean; supplied_by?: string; when?: Condition[]; alternatives?: { name: string; verify?: string | null; e_licence?: string | null }[];
  alternatives_hint?: string | null; how_to_get?: string | null; [more: string]: unknown;
}
export interface ConfItem {
  code: string; name: string; plain_name: string; search: string[]; enabled?: boolean; online_open: boolean; closed_note: string | null; who_may_apply: string;
  facts: Record<string, string>; steps: string[]; notices: string[]; legal: string[]; channels: Record<string, boolean>; materials: ConfMaterial[]; [more: string]: unknown;
}
export interface ConfField {
  id: string; label: string; type: string; section?: string; ask?: string | null; hint?: string | null; usual?: string | null; required?: boolean; required_when?: Condition[];
  visible_when?: Condition[]; allow?: string[] | null; code_table?: string; values?: CodeValue[]; fill_from?: string; [more: string]: unknown;
}
export interface ConfFamily { id: string; label: string; fields: ConfField[]; repeats?: { id: string; label: string }[]; sections: { id: string; title: string; fields: string[] }[]; presets: Record<string, Record<string, unknown[]>> }
export interface ConfChange { region: string; item: string; path: string; value?: unknown; reset?: boolean }
export interface ConfWord { region: string; region_name: string; item: string; name: string; path: string; label: string; before: string; after: string }
export interface ConfAct { name: string; at: string }
export interface ChangeSet {
  id: string; version: number; state: "draft" | "submitted" | "released" | "dropped" | "declined"; source: "intranet" | "internet"; title: string; wish: string; restores: number;
  changes: ConfChange[]; words: ConfWord[]; findings: Finding[]; reason: string; answer: string; released: number; author: boolean; may_release: boolean; base: number;
  edited: ConfAct; submitted: ConfAct; decided: ConfAct;
}
export interface ConfRow {
  code: string; form: string; name: string; plain_name: string; category: string; extra: boolean; enabled: boolean; online: boolean; appointment: boolean; window: boolean; own: boolean;
  changed: boolean; waits: { id: string; state: string; title: string } | null;
}
export interface ConfItems { items: ConfRow[]; regions: CodeValue[]; base: number }
export interface ConfEdit {
  item: ConfItem; city: ConfItem; own: string[]; family: ConfFamily; code_tables: Record<string, CodeValue[]>; open: ChangeSet[]; regions: CodeValue[]; base: number;
}
export interface ConfVersion { version: number; published: string; hash: string }
export interface ConfList { open: ChangeSet[]; done: ChangeSet[]; versions: ConfVersion[]; base: number }
