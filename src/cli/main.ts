/**
 * The command line: options in, lines out.
 *
 * It decides nothing about torrents or money; that is `daemon`, of which each command loads only
 * the part it needs. Start with `program.ts` for the commands and their options, then `commands/`.
 *
 * @module
 */
import { CommanderError } from 'commander';
import { AppError } from '../units/index.ts';
import { Context } from './context.ts';
import { Output } from './output.ts';
import { buildProgram } from './program.ts';

/** Exit code when the command line itself is wrong. */
const EXIT_USAGE = 2;
const EXIT_FAILED = 1;

/** Failures whose message does not say which file it is about. */
const BAD_FILE: ReadonlySet<string> = new Set(['WIRE_BENCODE', 'WIRE_METAINFO']);

/** Runs one command and ends the process with its exit code. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const output = new Output({ isJson: args.includes('--json') });
  const context = new Context(output);
  process.on('uncaughtException', (failure) => process.exit(report(failure, context)));
  let code: number;
  try {
    await buildProgram(context).parseAsync(args, { from: 'user' });
    code = context.exitCode;
  } catch (failure) {
    code = report(failure, context);
  }
  await output.flush();
  process.exit(code);
}

/** Says in one line what went wrong, and with what exit code to end. */
function report(failure: unknown, { output, stopCode, torrentPath }: Context): number {
  if (failure instanceof CommanderError) {
    if (failure.exitCode === 0) return 0;
    const text = failure.message.replace(/^error: /, '');
    // Without a command commander has printed the help, which says it all.
    if (failure.code !== 'commander.help') output.fail({ code: 'CLI_USAGE', text });
    return EXIT_USAGE;
  }
  if (isDebugging() && failure instanceof Error) process.stderr.write(`${failure.stack}\n`);
  if (failure instanceof AppError) {
    const isAboutFile = torrentPath !== null && BAD_FILE.has(failure.code);
    const about = isAboutFile ? `${torrentPath} is no usable torrent file: ` : '';
    const text = `${about}${failure.message}`;
    output.fail({ code: failure.code, text });
    return failure.code === 'CLI_USAGE' ? EXIT_USAGE : EXIT_FAILED;
  }
  // Ctrl-C in the middle of something: not a failure.
  if (stopCode !== null) {
    output.fail({ code: 'CLI_STOPPED', text: 'stopped before it was done' });
    return stopCode;
  }
  const text = failure instanceof Error ? failure.message : String(failure);
  if (failure instanceof Error && 'syscall' in failure) {
    output.fail({ code: 'CLI_SYSTEM', text: `the system refused: ${text}` });
    return EXIT_FAILED;
  }
  const hint = isDebugging() ? '' : ' (a mistake of ours; BIDWIDTH_DEBUG=1 shows where)';
  output.fail({ code: 'CLI_INTERNAL', text: `${text}${hint}` });
  return EXIT_FAILED;
}

function isDebugging(): boolean {
  return process.env['BIDWIDTH_DEBUG'] === '1';
}
