import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { compressPlugin } from "./scripts/compress.mjs";
import { documentsPlugin } from "./scripts/documents.mjs";

const at = (place: string) => fileURLToPath(new URL(place, import.meta.url));
const service = process.env["REGISTRY_URL"] ?? "http://127.0.0.1:8080";
const token = process.env["REGISTRY_TOKEN"];
const outDir = process.env["CONSOLE_OUT"] ?? at("../assets/console");

// The token is for `npm run dev` alone, and stays in this process.
const forwarded = {
  target: service,
  changeOrigin: true,
  ws: true,
  headers: { origin: new URL(service).origin, ...(token ? { authorization: `Bearer ${token}` } : {}) },
};

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/console/" : "/",
  publicDir: at("public"),
  plugins: [documentsPlugin(at("src")), react(), compressPlugin(outDir)],
  resolve: { alias: { "~": at("src") } },
  server: {
    port: Number(process.env["PORT"] ?? 5173),
    proxy: { "/graphql": forwarded, "/auth": forwarded, "/console/download": forwarded, "/console/upload": forwarded },
  },
  build: {
    outDir,
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false },
    // Inlined files would be `data:` addresses, which the policy allows for images alone.
    assetsInlineLimit: 0,
    cssMinify: true,
    sourcemap: false,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx", "scripts/**/*.test.mjs"], environment: "node" },
}));
