/* The questions as they are asked here: what leads only to services that are off is left out, or says where else to go (schemas/guide/README.md). */
import type { Answer, Guide, GuideNode } from "./api/types";

/** on: codes of the services that are on. Answers keep their place (at), by which an address names them. */
export function offered(guide: Guide, on: Set<string>): Guide {
  const nodes = new Map(guide.nodes.map((n) => [n.id, n]));
  const leads = (id: string | undefined): boolean => !!id && !!nodes.get(id)?.answers.some((a) => (a.item ? on.has(a.item) : a.next ? leads(a.next) : false));
  const answer = (a: Answer, at: number): Answer[] => {
    const { label, hint, presets, stop } = a;
    if (a.item && on.has(a.item)) return [{ at, label, hint, presets, item: a.item }];
    if (leads(a.next)) return [{ at, label, hint, presets, next: a.next }];
    return stop ? [{ at, label, hint, stop }] : [];
  };
  const events = guide.events.filter((e) => leads(e.start)).map((e) => ({ ...e, items: e.items.filter((c) => on.has(c)) }));
  const asked: GuideNode[] = guide.nodes.filter((n) => leads(n.id)).map((n) => ({ ...n, answers: n.answers.flatMap(answer) }));
  return { ...guide, events, nodes: asked };
}
