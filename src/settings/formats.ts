/**
 * Formats of the process settings. convict's own take `no` for true and `12abc` for 12, so each value is checked by ours alone. They are registered
 * once, here, for convict keeps them per process.
 */
import convict from 'convict';
import { addressProblem, HOST, REGION, ROLE, TABLE, type TextRule } from '../model/aws-names.ts';

/** The formats' names, and further attributes that they read from a setting. */
export type FormatName =
  | 'tm-name'
  | 'tm-text'
  | 'tm-switch'
  | 'tm-whole'
  | 'tm-amount'
  | 'tm-address'
  | 'tm-region'
  | 'tm-role'
  | 'tm-table'
  | 'tm-host'
  | 'tm-processes';

interface Limits {
  readonly min?: number;
  readonly max?: number;
}

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
]);

export const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
export const NAME_RULE = 'expected a name: letters, digits, _ and -, at most 64, beginning with a letter or digit';

const expectText = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') throw new Error(`expected text, but this is a ${typeof value}: quote it`);
  throw new Error(value === null ? 'is missing: expected text' : 'expected text');
};

const expectNumber = (value: unknown, what: string, { min, max }: Limits): number => {
  const allowed = `expected a ${what} from ${min} to ${max}`;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(allowed);
  if (value < (min ?? value) || value > (max ?? value)) throw new Error(allowed);
  return value;
};

function ruled({ pattern, says }: TextRule) {
  return {
    validate: (value: unknown): void => {
      if (!pattern.test(expectText(value))) throw new Error(says);
    },
  };
}

const FORMATS: Readonly<Record<FormatName, { validate(value: unknown, limits: Limits): void; coerce?(value: string): unknown }>> = {
  'tm-name': {
    validate: value => {
      if (!NAME.test(expectText(value))) throw new Error(NAME_RULE);
    },
  },
  'tm-text': {
    validate: value => {
      if (expectText(value) === '') throw new Error('expected text that is not empty');
    },
  },
  'tm-address': {
    validate: value => {
      const problem = addressProblem(expectText(value));
      if (problem !== undefined) throw new Error(problem);
    },
  },
  'tm-region': ruled(REGION),
  'tm-role': ruled(ROLE),
  'tm-table': ruled(TABLE),
  'tm-host': ruled(HOST),
  'tm-switch': {
    validate: value => {
      if (typeof value !== 'boolean') throw new Error(`expected ${[...SWITCH.keys()].join(', ')}`);
    },
    coerce: value => SWITCH.get(value.toLowerCase()) ?? value,
  },
  'tm-whole': {
    validate: (value, limits) => {
      if (!Number.isInteger(expectNumber(value, 'whole number', limits))) expectNumber(Number.NaN, 'whole number', limits);
    },
    coerce: value => (/^[+-]?\d{1,15}$/.test(value) ? Number(value) : value),
  },
  'tm-processes': {
    validate: (value, limits) => {
      const isCount =
        typeof value === 'number' && Number.isInteger(value) && value >= (limits.min ?? value) && value <= (limits.max ?? value);
      if (!isCount && value !== 'auto') throw new Error(`expected auto, or a whole number from ${limits.min} to ${limits.max}`);
    },
    coerce: value => (/^[+-]?\d{1,15}$/.test(value) ? Number(value) : value),
  },
  'tm-amount': {
    validate: (value, limits) => {
      expectNumber(value, 'number', limits);
    },
    coerce: value => (/^[+-]?\d{1,15}(?:\.\d+)?$/.test(value) ? Number(value) : value),
  },
};

// convict's types want `any`; what it hands over is the value and the setting's own schema entry.
for (const [name, { validate, coerce }] of Object.entries(FORMATS)) {
  convict.addFormat({
    name,
    validate: (value: unknown, entry: object) => validate(value, entry),
    ...(coerce && { coerce: (value: unknown) => (typeof value === 'string' ? coerce(value) : value) }),
  });
}
