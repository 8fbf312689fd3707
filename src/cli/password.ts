/** Passwords and other secrets: from the environment, a file, or a hidden prompt. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { CliError } from './cli-error.ts';

/** Where a password may come from. */
export interface PasswordSources {
  /** `--password-file`; its first line counts. */
  readonly file: string | null;
  /** What it opens, as people call it. */
  readonly of: 'publishing key' | 'wallet';
}

/** Finds a password; asks on a terminal, twice for a new wallet. Throws CLI_PASSWORD. */
export async function readPassword(sources: PasswordSources, isNew: boolean): Promise<string> {
  const given = await givenPassword(sources);
  if (given !== null) return given;
  if (!process.stdin.isTTY) {
    throw new CliError(
      'CLI_PASSWORD',
      `the ${sources.of} needs its password: set BIDWIDTH_PASSWORD or give --password-file`,
    );
  }
  const { of } = sources;
  const password = await askHidden(`${isNew ? 'New password' : 'Password'} for the ${of}: `);
  if (isNew && (await askHidden('The same password again: ')) !== password) {
    throw new CliError('CLI_PASSWORD', 'the two passwords differ: nothing was made');
  }
  return password;
}

/** A recovery phrase: typed unseen on a terminal, or piped in. */
export async function readPhrase(): Promise<string> {
  return process.stdin.isTTY ? askHidden('The wallet’s recovery words: ') : readAll(process.stdin);
}

/** The password that environment or file give; null when there is none. Throws CLI_PASSWORD. */
export async function givenPassword({ file, of }: PasswordSources): Promise<string | null> {
  const { findPassword } = await import('../daemon/wallet/index.ts');
  try {
    return findPassword(process.env, file);
  } catch (cause) {
    const text = `the password file of the ${of} cannot be read`;
    throw new CliError('CLI_PASSWORD', text, {}, { cause });
  }
}

/** Asks without showing what is typed. Ctrl-C ends the process as if nothing had been asked. */
function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  return new Promise((resolve) => {
    prompt.once('SIGINT', () => {
      process.stderr.write('\n');
      process.exit(130);
    });
    prompt.question('', (answer) => {
      process.stderr.write('\n');
      prompt.close();
      resolve(answer);
    });
  });
}
