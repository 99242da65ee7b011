/* Static output, no inline script or style: the page runs under `script-src 'self'; style-src 'self'`.
 * Everything lands in build/web/citizen; nothing is written beside the sources. Each page is a chunk of its own,
 * so a phone that opens the home page loads no form, no camera and no face check. */
import { fileURLToPath, URL } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { "@": at("./src"), "@shared": at("../../common/web") } },
  cacheDir: at("../../build/web/.vite-citizen"),
  build: {
    outDir: at("../../build/web/citizen"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    /* The WebView of a phone from 2017 still opens the page: the oldest engine with modules and dynamic import. */
    target: ["chrome63", "safari11.1"],
    cssTarget: "chrome61",
  },
  server: { proxy: { "/api": "http://127.0.0.1:18181" } },
});
