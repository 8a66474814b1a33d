/** Random DynamoDB items for property tests: every type, deep, with the names and texts that careless code trips over. */
import fc from 'fast-check';
import type { AttributeValue, Item } from '../../src/model/item.ts';

const NAMES = ['__proto__', 'constructor', 'toString', 'B', 'S', 'M', 'BS', 'size', 'a.b', 'a "quoted"', ':{}', 'ünï', '#x', '0'];

const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }));
const text = fc.string({ maxLength: 12, unit: 'grapheme' });
const binary = fc.uint8Array({ maxLength: 6 }).map(bytes => Buffer.from(bytes).toString('base64'));

/** Up to 38 digits in the form in which DynamoDB gives them back. */
const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }).map(String),
  fc.tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: 1, max: 9 })).map(([whole, tenth]) => `${whole}.${tenth}`),
);

const setOf = <T>(values: fc.Arbitrary<T>) => fc.uniqueArray(values, { minLength: 1, maxLength: 4 });

const value: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    text.map(S => ({ S })),
    number.map(N => ({ N })),
    binary.map(B => ({ B })),
    fc.boolean().map(BOOL => ({ BOOL })),
    fc.constant({ NULL: true }),
    setOf(text).map(SS => ({ SS })),
    setOf(fc.integer().map(String)).map(NS => ({ NS })),
    setOf(binary).map(BS => ({ BS })),
    fc.array(tie('value'), { maxLength: 4 }).map(L => ({ L })),
    members(tie('value')).map(M => ({ M })),
  ),
})).value;

/** Not `fc.dictionary`: that one leaves `__proto__` out. */
function members(of: fc.Arbitrary<AttributeValue>): fc.Arbitrary<Item> {
  return fc.array(fc.tuple(name, of), { maxLength: 5 }).map(entries => Object.fromEntries(entries));
}

/** Without key attributes. */
export const randomItem: fc.Arbitrary<Item> = members(value);
