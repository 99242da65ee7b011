import { createApp } from "vue";
import "vant/es/style/base.css";
import "vant/es/button/index.css";
import "vant/es/loading/index.css";
import "../../../common/web/tokens.css";
import "./styles/app.css";
import App from "./App.vue";
import { router } from "./router";
import { applyElder } from "@/state/settings";
import { refreshSession } from "@/state/session";

applyElder();
/* The first calls need the token; a page shows itself without waiting for it. */
void refreshSession().catch(() => undefined);
const app = createApp(App).use(router);
void router.isReady().then(() => app.mount("#app"));
