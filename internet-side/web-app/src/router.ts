/* One page, one chunk: the home page is all that a first visit loads. */
import { createRouter, createWebHistory } from "vue-router";
import Home from "@/pages/HomePage.vue";
import { online, say } from "@/state/notice";

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved || { top: 0 },
  routes: [
    { path: "/", component: Home, meta: { tab: "/" } },
    { path: "/search", component: () => import("@/pages/SearchPage.vue") },
    { path: "/choose", component: () => import("@/pages/EventsPage.vue"), meta: { tab: "/choose" } },
    { path: "/all", component: () => import("@/pages/AllPage.vue") },
    { path: "/choose/:event", component: () => import("@/pages/ChoosePage.vue"), props: true },
    { path: "/items/:code", component: () => import("@/pages/ItemPage.vue"), props: true },
    { path: "/login", component: () => import("@/pages/LoginPage.vue") },
    { path: "/apply/:id", component: () => import("@/pages/TaskList.vue"), props: true },
    { path: "/apply/:id/form/:section", component: () => import("@/pages/FormPage.vue"), props: true },
    { path: "/apply/:id/material/:no", component: () => import("@/pages/MaterialPage.vue"), props: true },
    { path: "/apply/:id/material/:no/write", component: () => import("@/pages/TemplatePage.vue"), props: true },
    { path: "/apply/:id/check", component: () => import("@/pages/CheckPage.vue"), props: true },
    { path: "/receipt/:no", component: () => import("@/pages/ReceiptPage.vue"), props: true },
    { path: "/cases", component: () => import("@/pages/CasesPage.vue"), meta: { tab: "/cases" } },
    { path: "/cases/:no", component: () => import("@/pages/CasePage.vue"), props: true },
    { path: "/cases/:no/fix", component: () => import("@/pages/FixPage.vue"), props: true },
    { path: "/me", component: () => import("@/pages/MePage.vue"), meta: { tab: "/me" } },
    { path: "/:rest(.*)*", component: () => import("@/pages/NotFound.vue") },
  ],
});

/* A page whose code cannot be fetched: the person stays where he is, and is told why nothing opened. */
router.onError((x) => {
  console.warn("page", x instanceof Error ? x.message : "");
  say(online.yes ? "这一页没有打开，请再点一次" : "没有网络，这一页打不开，联网后再点。填的内容还在", true);
});
