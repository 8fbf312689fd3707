#!/usr/bin/env node
/**
 * Makes npm's solc-js look like the native compiler to forge, which calls it with `--version` or
 * with `--standard-json` on stdin. forge inlines every source, so no import callback is needed.
 */
const { readFileSync } = require('node:fs');
const solc = require('solc');

if (process.argv.includes('--version')) {
  const version = solc.version().replace('.Emscripten.clang', '.Linux.g++');
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')));
}
