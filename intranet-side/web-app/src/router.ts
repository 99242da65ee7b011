import { createRouter, createWebHistory } from "vue-router";
import { api } from "./api/calls";
import { session, setMe } from "./session";
import { w } from "./words";

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", redirect: "/desk" },
    { path: "/login", component: () => import("./pages/LoginPage.vue"), meta: { title: w.login.title, plain: true } },
    { path: "/desk", component: () => import("./pages/DeskPage.vue"), meta: { title: w.desk.title } },
    { path: "/cases", component: () => import("./pages/CasesPage.vue"), meta: { title: w.nav.cases } },
    { path: "/cases/:no(\\d{16})", component: () => import("./pages/CasePage.vue"), meta: { title: w.nav.cases, narrow: true }, props: true },
    { path: "/search/person", component: () => import("./pages/SearchPersonPage.vue"), meta: { title: w.search.title } },
    { path: "/admin/officers", component: () => import("./pages/OfficersPage.vue"), meta: { title: w.admin.officers } },
    { path: "/admin/exceptions", component: () => import("./pages/ExceptionsPage.vue"), meta: { title: w.admin.exceptions } },
    { path: "/admin/flows", component: () => import("./pages/FlowsPage.vue"), meta: { title: w.flows.title } },
    { path: "/admin/searches", component: () => import("./pages/SearchesPage.vue"), meta: { title: w.admin.searches } },
    { path: "/admin/items", component: () => import("./pages/ConfItemsPage.vue"), meta: { title: w.conf.items } },
    { path: "/admin/items/:code(H[JX]\\d{3})", component: () => import("./pages/ConfItemPage.vue"), meta: { title: w.conf.items, narrow: true }, props: true },
    { path: "/admin/releases", component: () => import("./pages/ConfReleasesPage.vue"), meta: { title: w.conf.releases } },
    { path: "/:rest(.*)*", component: () => import("./pages/MissingPage.vue"), meta: { title: w.product } },
  ],
});

router.beforeEach(async (to) => {
  if (!session.me) {
    try {
      setMe(await api.me());
    } catch {
      /* nobody, or no server: the sign-in page says which when asked */
    }
  }
  const inside = session.me && !session.me.must_change_password;
  if (!inside && to.path !== "/login") return { path: "/login", query: to.path === "/desk" ? {} : { to: to.fullPath } };
  if (inside && to.path === "/login") return "/desk";
  return true;
});
router.afterEach((to) => {
  document.title = `${String(to.meta.title ?? "")} · ${w.product}`;
});
