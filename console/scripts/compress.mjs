// Writes a brotli and a gzip file beside each built file that is worth it. The same input gives the same bytes.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const COMPRESSED = /\.(js|css|html|svg|json)$/;

/** Each file below `folder`. */
export function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? files(file) : [file];
  });
}

/** Compresses what the build wrote, but what only the service reads. */
export function compressPlugin(folder) {
  return {
    name: "compress",
    apply: "build",
    closeBundle() {
      for (const file of files(folder).sort()) {
        if (!COMPRESSED.test(file) || file.endsWith("documents.json")) continue;
        const bytes = readFileSync(file);
        const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: quality }));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}
