/* Static output, no inline script or style: the page runs under `default-src 'self'`.
 * Everything lands in build/web/officer; nothing is written beside the sources. */
import { fileURLToPath, URL } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { "@": at("./src"), "@shared": at("../../common/web") } },
  cacheDir: at("../../build/web/.vite-officer"),
  build: {
    outDir: at("../../build/web/officer"),
    emptyOutDir: true,
    /* A small image as data: would need a wider img-src than the page has a use for. */
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ["chrome87", "firefox78"],
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": "http://127.0.0.1:28080" } },
});
