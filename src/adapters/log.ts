/**
 * The log: one JSON line per event on stderr, by pino. Stdout belongs to what a command answers. Secrets are cut out of every line, lines that repeat
 * themselves are held back (log-repeats.ts), and a reader of the log that does not read never holds up the daemon.
 */
import { ecsFormat } from '@elastic/ecs-pino-format';
import pino from 'pino';
import { prettyFactory } from 'pino-pretty';
import { REDACTED, secretCutter } from '../model/secrets.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, LogFields } from '../ports/log.ts';
import { LogLines, stderrTarget } from './log-lines.ts';
import { kindOf, LogRepeats } from './log-repeats.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'pretty' | 'ecs';
  /** On every line: the service's name and this worker. */
  readonly fields: LogFields;
  /** Texts that must not appear in any line. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  /** For `pretty`. */
  readonly colour: boolean;
  /** Default: stderr. */
  readonly stream?: { write(line: string): void };
}

export interface ProcessLog extends Log {
  /** The last line of a process that cannot go on. */
  fatal(fields: LogFields, message: string): void;
  /** Writes out what is waiting, at once. */
  flush(): void;
}

/** Whatever stands in fields of these names is a secret. */
const SECRET_FIELDS = [
  'secretAccessKey',
  'sessionToken',
  'credentials',
  'password',
  'passphrase',
  'token',
  'authorization',
  'Authorization',
];

export function processLog(options: LogOptions): ProcessLog {
  const stderr = options.stream === undefined ? new LogLines(stderrTarget, options.clock) : undefined;
  const lines: pino.DestinationStream = stderr ?? options.stream ?? { write() {} };
  const sink = options.format === 'pretty' ? prettyStream(options.colour, lines) : lines;
  const base = pino(pinoOptions(options), sink);
  const repeats = new LogRepeats(options.clock);
  return {
    ...logOf(base, { fields: options.fields, repeats }),
    fatal: (fields, message) => base.fatal(fields, message),
    flush: () => stderr?.flush(),
  };
}

function pinoOptions({ level, format, fields, secrets }: LogOptions): pino.LoggerOptions {
  const cut = secretCutter(secrets);
  const shape =
    format === 'ecs'
      ? ecsFormat({ serviceName: String(fields['service'] ?? 'tidemark'), apmIntegration: false })
      : { timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label: string) => ({ level: label }) } };
  return {
    ...shape,
    level,
    base: fields,
    serializers: { ...(format !== 'ecs' && { err: pino.stdSerializers.err }), error: pino.stdSerializers.err },
    redact: { paths: SECRET_FIELDS.flatMap(name => [name, `*.${name}`, `*.*.${name}`]), censor: REDACTED },
    hooks: { streamWrite: cut },
  };
}

function prettyStream(colour: boolean, lines: pino.DestinationStream): pino.DestinationStream {
  const format = prettyFactory({ colorize: colour, singleLine: true, ignore: 'service,worker', translateTime: 'SYS:HH:MM:ss.l' });
  return { write: line => lines.write(format(line)) };
}

interface Around {
  /** Bound to this log by its parents. */
  readonly fields: LogFields;
  readonly repeats: LogRepeats;
}

function logOf(log: pino.Logger, { fields: bound, repeats }: Around): Log {
  // What its parents have bound already would stand in the line twice.
  const own = (fields: LogFields): LogFields => Object.fromEntries(Object.entries(fields).filter(([name, value]) => bound[name] !== value));
  const limited =
    (level: 'warn' | 'error') =>
    (fields: LogFields, message: string): void => {
      const about = { ...bound, ...fields };
      const told = (heldBack: number) =>
        log[level]({ ...own(fields), heldBack }, `${message} (held back ${heldBack} more lines like this)`);
      if (repeats.admits(kindOf(level, about, message), told)) log[level](own(fields), message);
    };
  return {
    debug: (fields, message) => log.debug(own(fields), message),
    info: (fields, message) => log.info(own(fields), message),
    warn: limited('warn'),
    error: limited('error'),
    child: fields => logOf(log.child(own(fields)), { fields: { ...bound, ...fields }, repeats }),
  };
}
