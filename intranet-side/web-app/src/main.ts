import { createApp } from "vue";
import App from "./App.vue";
import { listenToKeys } from "./keys";
import { router } from "./router";
import { startPolling } from "./session";
import "@shared/tokens.css";
import "./styles/element.scss";
import "./styles/desk.css";

listenToKeys();
startPolling();
createApp(App).use(router).mount("#app");
