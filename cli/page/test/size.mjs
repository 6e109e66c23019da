// Says what the page weighs, gzipped, file by file; fails above the limit.
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMIT = 60 * 1024;
const folder = new URL('../', import.meta.url);
let sum = 0;
for (const name of (await readdir(folder)).filter((one) => /\.(html|js|css|svg)$/.test(one))) {
  const size = gzipSync(await readFile(new URL(name, folder)), { level: 9 }).length;
  sum += size;
  console.log(`${String(size).padStart(7)}  ${name}`);
}
console.log(`${String(sum).padStart(7)}  of ${LIMIT}`);
process.exit(sum <= LIMIT ? 0 : 1);
