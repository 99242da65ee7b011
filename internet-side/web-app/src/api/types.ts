/* What the citizens' service answers: schemas/openapi/internet.yaml, in the words of TypeScript. */
import type { Choice, Condition, Entries, Finding, Item as RuleItem, Material as RuleMaterial, Rules } from "@shared/rules.ts";

export type { Choice, Entries, Finding };

export interface Session {
  signed_in: boolean;
  phone?: string;
  csrf: string;
  city: string;
  config_version: number;
  now: string;
  idle_s?: number;
  sandbox: boolean;
  hotline?: string;
  slow?: string | null;
}

export interface ErrorBody {
  code: string;
  message: string;
  request: string;
  retry_s?: number;
  tries_left?: number;
  fields?: Finding[];
}

export interface Unit {
  code: string;
  name: string;
  short?: string;
  parent?: string;
  address?: string;
  phone?: string;
  hours?: string;
  regions?: string[];
  streets?: string[];
  accepting?: boolean;
}

export interface ItemBrief {
  code: string;
  name: string;
  plain_name: string;
  category: string;
  subcategory?: string | null;
  path?: string[];
  menu: string[];
  channels?: { appointment?: boolean; online?: boolean; window?: boolean };
  online_open: boolean;
  enabled?: boolean;                 // false: on the list of some district alone
}

export interface Stop { text: string; actions: string[] }
export interface Answer {
  at?: number;                       // its place in the question as the guide has it; addresses name it
  label: string;
  hint?: string;
  next?: string;
  item?: string;
  stop?: Stop;                       // beside item or next: what is said while nothing of it is on
  presets?: Record<string, string | boolean>;
}
export interface GuideNode { id: string; question: string; hint: string | null; answers: Answer[] }
export interface LifeEvent { id: string; title: string; icon: string; home: boolean; start: string; items: string[] }
export interface Guide { none_of_these: string; window_only: string; events: LifeEvent[]; nodes: GuideNode[] }

/* Words by which people ask; sounds: syllable -> its characters. */
export interface SearchData { fillers: string[]; synonyms: string[][]; words: Record<string, string[]>; readings: Record<string, string>; sounds: Record<string, string> }

export interface Catalogue {
  version: number;
  city: string;
  items: ItemBrief[];
  guide: Guide;
  units: Unit[];
  regions?: { code: string; label: string }[];                          // districts of the city
  districts?: Record<string, Record<string, Partial<ItemBrief>>>;       // region -> item -> what differs there
}

export interface Material extends RuleMaterial {
  plain_name?: string;
  alternatives_hint?: string;
  how_to_get?: string;
  note?: string | null;
}

export interface Item extends RuleItem {
  plain_name: string;
  online_open: boolean;
  closed_note: string | null;
  identity: { who: string; text: string };
  facts: { duration: string; visits: string; fee: string };
  who_may_apply: string;
  steps: string[];
  notices: string[];
  legal: string[];
  materials: Material[];
}

export interface Template {
  id: string; title: string; to: string; material: number; paragraphs: (string | { text: string; when?: Condition[] })[]; signers: string[]; note?: string | null; when?: Condition[];
}
export interface ItemData extends Rules { version: number; item: Item; templates?: Template[] }

export interface Upload { id: string; offset: number; size: number; complete: boolean }
export interface Slot { material: number; alternative?: number; pages: string[] }
export interface Untypeable { field: string; pinyin: string; page: string }
export interface DraftBody {
  draft: string;
  item: string;
  config_version: number;
  entries: Entries;
  materials: Slot[];
  untypeable?: Untypeable[];
}
export interface Verdict {
  ok: boolean;
  hash?: string;
  findings: Finding[];
  verify?: { who?: string; name?: string; text?: string };
}
export interface Receipt { no: string; submitted: string; item: string; plain_name?: string; pages?: number; unit: Unit }

export type Tone = "neutral" | "work" | "turn" | "done" | "refused" | "correction" | "paused";
export interface StateButton { action: string; label: string }
export interface PublicState { key: string; icon: string; tag: string; tone: Tone; sentence: string; buttons: StateButton[] }
export interface CaseBrief {
  no: string;
  item: string;
  plain_name: string;
  submitted: string;
  updated: string;
  locked: boolean;
  finished?: boolean;
  turn?: "citizen" | "police" | "none";
  state?: PublicState;
  deadline?: string | null;
}
export interface Supplement {
  round?: number;
  sentence?: string;
  deadline?: string;
  slots?: { material: number; name: string; reason: string }[];
  fields?: { field: string; label: string; reason: string }[];
}
export interface Stage { title: string; state: "done" | "now" | "todo" | "skipped"; at?: string; note?: string }
export interface Case extends CaseBrief {
  tries_left?: number;
  confirmed?: boolean;
  refused_on_import?: boolean;
  unit?: Unit;
  pages?: { done: number; total: number };
  stages?: Stage[];
  events?: { at: string; text: string }[];
  withdrawable?: boolean;
  supplement?: Supplement;
}
