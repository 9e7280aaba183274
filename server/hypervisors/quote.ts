import type { Command, Words } from './host.js';

/** Linux takes no longer argument, and the line is one. */
const LONGEST = 120 * 1024;

// Behind what the node has itself: sshd starts commands without what a login would add.
const PATHS = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/local/sbin:/opt/local/bin';

const ENVIRONMENT = `PATH=\${PATH:+$PATH:}${PATHS} LC_ALL=C; export PATH LC_ALL; unset LANGUAGE CDPATH`;

// The whole group, itself too: sshd gives each command a session of its own.
const GUARD = '{ while read -r rest; do :; done; kill -s KILL 0; } <&3 >/dev/null 2>&1 &';

/** One word of a line of sh; fish, zsh and bash read it alike. */
export const quoted = (word: string): string => (/^[A-Za-z0-9_./:@%+-]+$/.test(word) ? word : enclosed(word));

function enclosed(word: string): string {
  if (word.includes('\0')) throw new TypeError('an argument holds a NUL byte');
  const parts = word.split(/(['\\])/).filter((part) => part !== '');
  return parts.map((part) => (part === "'" || part === '\\' ? `\\${part}` : `'${part}'`)).join('') || "''";
}

/** The command in quotes in any case: `if` is none of ours. */
const spelled = ([name, ...args]: Words) => [enclosed(name), ...args.map(quoted)].join(' ');

/** Its commands without their arguments. */
export const nameOf = (command: Command) =>
  'pipe' in command ? command.pipe.map(([name]) => name).join(' | ') : command[0];

/**
 * A line of sh that runs a command, and ends with what it ends with: 0 only where all commands of a pipe have ended so.
 * What is on file descriptor 3 is none of theirs.
 */
function scriptOf(command: Command): string {
  if (!('pipe' in command)) return `${spelled(command)} 3<&-`;
  const { pipe } = command;
  const [only] = pipe;
  if (!only) throw new TypeError('a pipe of no commands');
  if (pipe.length === 1) return scriptOf(only);
  // Each tells its end on 5; what the last one writes goes past the substitution, by 4.
  const last = pipe.length - 1;
  const stages = pipe.map(
    (words, at) => `{ ${spelled(words)} ${at === last ? '>&4 ' : ''}3<&- 4>&- 5>&-; echo $? >&5; }`,
  );
  return [
    'exec 4>&1',
    `ends=$({ ${stages.join(' | ')}; } 5>&1)`,
    // Who was killed can not say so.
    `set -- $ends; code=0; [ $# -eq ${pipe.length} ] || code=137`,
    // 141 is a writer whose reader has gone: the reader knows better why. What was killed is above 256 in ksh.
    'for end do [ $end -lt 257 ] || end=$((end - 128)); case $end in 0) ;; 127) code=127;; *) case $code in 0|141) code=$end;; esac;; esac; done',
    '(exit $code)',
  ].join('; ');
}

/**
 * What a shell at the other end is asked to run, whichever it is. When its standard input ends, behind as many bytes as
 * the command is to read, the command is killed with all that it has started; so it is when the connection breaks.
 */
export function lineFor(command: Command, input?: { bytes: number }): string {
  const script = scriptOf(command);
  const guarded = input
    ? // Its reader sees the end only where all has come, or is not wanted; then the guard watches on, apart from the pipe.
      `{ got=$(dd bs=1 count=${input.bytes} <&3 2>&1 >&4); case $?:$got in 0:${input.bytes}+0*|141:*|269:*) ;; *) kill -s KILL 0;; esac; ` +
      `exec 4>&- >/dev/null </dev/null; ${GUARD} } 4>&1 | { ${script}; }`
    : `exec </dev/null; ${GUARD} ${script}`;
  const line = `exec /bin/sh -c ${quoted(`${ENVIRONMENT}; exec 3<&0; ${guarded}`)}`;
  if (Buffer.byteLength(line) > LONGEST)
    throw new TypeError(`${nameOf(command)} is given more than ${LONGEST} bytes of arguments`);
  return line;
}
