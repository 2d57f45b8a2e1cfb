import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig, globalIgnores } from "eslint/config";
import typescript from "typescript-eslint";

export default defineConfig([
  globalIgnores(["src/__generated__"]),
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [typescript.configs.recommendedTypeChecked, hooks.configs.flat["recommended-latest"]],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-deprecated": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/prefer-nullish-coalescing": "off",
      // Prompts and names are text. Nothing is ever drawn as HTML, and nothing is stored but choices of the reader.
      "no-restricted-properties": ["error", { property: "innerHTML" }, { property: "outerHTML" }, { object: "document", property: "write" }],
      "no-restricted-syntax": ["error", { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Text is never HTML." }],
      "no-restricted-globals": ["error", { name: "sessionStorage", message: "Nothing is stored." }],
    },
  },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly", Buffer: "readonly", fetch: "readonly", setTimeout: "readonly", clearTimeout: "readonly", AbortSignal: "readonly", document: "readonly", window: "readonly", location: "readonly", performance: "readonly", crypto: "readonly", getComputedStyle: "readonly", axe: "readonly", WebSocket: "readonly", MutationObserver: "readonly", requestAnimationFrame: "readonly", Event: "readonly" } },
  },
]);
