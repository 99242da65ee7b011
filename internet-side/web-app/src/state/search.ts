/* The search over the services: its words come when somebody searches; without a network those of the last time do. */
import { getSearchData } from "@/api/calls";
import type { Catalogue } from "@/api/types";
import { makeSearch } from "@/search";
import type { Search } from "@/search";
import { loadCatalogue, throughStore } from "./catalogue";

let made: { of: Catalogue; search: Search } | null = null;

export async function loadSearch(): Promise<Search> {
  const c = await loadCatalogue();
  if (!made || made.of !== c) made = { of: c, search: makeSearch(c.items, await throughStore("search", getSearchData)) };
  return made.search;
}
