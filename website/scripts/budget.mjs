// What a first visit to the shop loads, gzipped, against its budget.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = 120;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));

/** The entry with all that it imports statically. */
function first(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const imported of manifest[key].imports ?? []) first(imported, seen);
  return seen;
}

const scripts = [...first('index.html')].map((key) => manifest[key].file).concat('theme.js');
const size = (file) => gzipSync(readFileSync(new URL(file, dist))).length;
const kb = (bytes) => (bytes / 1024).toFixed(1);
const total = scripts.reduce((sum, file) => sum + size(file), 0);

for (const file of scripts) console.log(`  ${kb(size(file)).padStart(6)} KB  ${file}`);
console.log(`first load: ${kb(total)} KB of gzipped JavaScript, budget ${BUDGET_KB} KB`);
if (total > BUDGET_KB * 1024) process.exit(1);
