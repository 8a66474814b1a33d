/**
 * Random worlds of the replica connector: whatever the wire and the processes do, the replica converges and no key goes back. Each rule of the protocol
 * is then weakened in turn, and the same worlds must notice. `WORLDS=n` runs more of them, `SEED=n` one again.
 */
import { expect } from 'chai';
import type { Adapt } from '../../connectors/replica/open.ts';
import type { Condition, Rules } from '../../src/replication/versions.ts';
import { runWorld } from './replication/world.ts';

const WORLDS = Number(process.env['WORLDS'] ?? 1_000) / 2;
const SEED = process.env['SEED'];
/** A weakened rule is noticed within so many worlds. */
const PATIENCE = 400;

type Mode = 'mirror' | 'version';

const ALWAYS: Condition = { ConditionExpression: 'attribute_not_exists(#never)', ExpressionAttributeNames: { '#never': 'never' } };
const NEVER: Condition = { ConditionExpression: 'attribute_exists(#never)', ExpressionAttributeNames: { '#never': 'never' } };

const weakened =
  (change: (rules: Rules) => Partial<Rules>): Adapt =>
  rules => ({ ...rules, ...change(rules) });

/** A condition with its last alternative, the tie of two equal versions, taken out or always given. */
const untied = (tie: (condition: Condition) => string) =>
  weakened(({ putIf }) => ({
    putIf: (version, keyNames) => {
      const condition = putIf(version, keyNames);
      const ConditionExpression = tie(condition);
      const used = (all: Readonly<Record<string, unknown>>) =>
        Object.fromEntries(Object.entries(all).filter(([name]) => new RegExp(`${name}\\b`).test(ConditionExpression)));
      return {
        ConditionExpression,
        ExpressionAttributeNames: used(condition.ExpressionAttributeNames) as Record<string, string>,
        ExpressionAttributeValues: used(condition.ExpressionAttributeValues ?? {}) as NonNullable<Condition['ExpressionAttributeValues']>,
      };
    },
  }));

const WEAKENED: readonly (readonly [string, Mode, Adapt])[] = [
  ['puts do not look at the tombstone', 'mirror', weakened(() => ({ noTombstoneIf: () => ALWAYS }))],
  ['puts do not look at the tombstone', 'version', weakened(() => ({ noTombstoneIf: () => ALWAYS }))],
  ['a tombstone may be lowered', 'version', weakened(() => ({ tombstoneIf: () => ALWAYS }))],
  ['puts have no condition', 'mirror', weakened(() => ({ putIf: () => ALWAYS }))],
  ['puts have no condition', 'version', weakened(() => ({ putIf: () => ALWAYS }))],
  ['removals have no condition', 'mirror', weakened(() => ({ removeIf: () => ALWAYS }))],
  ['removals have no condition', 'version', weakened(() => ({ removeIf: () => ALWAYS }))],
  ['removals are not done again', 'mirror', weakened(() => ({ removeAgainIf: () => NEVER }))],
  ['of two equal versions the one that is there stays', 'version', untied(() => 'attribute_not_exists(#pk) OR #v < :v')],
  ['of two equal versions the one that comes wins', 'version', untied(() => 'attribute_not_exists(#pk) OR #v <= :v')],
  [
    'scanned rows are put like changes',
    'mirror',
    weakened(({ putIf }) => ({ putIf: (version, keyNames) => (version.s.endsWith('0000') ? ALWAYS : putIf(version, keyNames)) })),
  ],
  [
    "our own writes are shipped on as the application's",
    'version',
    weakened(({ read }) => ({
      read: (record, now) => {
        const { after, ...rest } = record;
        return read(after ? { ...rest, after: Object.fromEntries(Object.entries(after).filter(([name]) => name !== '_tm')) } : record, now);
      },
    })),
  ],
];

describe('replication in random worlds', () => {
  for (const mode of ['mirror', 'version'] as const) {
    it(`mode ${mode} converges`, async function () {
      this.timeout(60_000 + WORLDS * 50);
      const seeds = SEED ? [Number(SEED)] : Array.from({ length: WORLDS }, (_, i) => i + 1);
      for (const seed of seeds) expect(await runWorld({ seed, mode }), `SEED=${seed}`).to.deep.equal([]);
    });
  }

  describe('notice when', () => {
    for (const [what, mode, adapt] of WEAKENED) {
      it(`${what} (mode ${mode})`, async function () {
        this.timeout(60_000);
        for (let seed = 1; seed <= PATIENCE; seed++) {
          if ((await runWorld({ seed, mode, adapt })).length > 0) return;
        }
        expect.fail(`${PATIENCE} worlds did not notice`);
      });
    }
  });
});
