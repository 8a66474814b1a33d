/** No format loses anything: numbers of 38 digits, binary, empty values, names that reach prototypes. */
import { expect } from 'chai';
import fc from 'fast-check';
import { FORMATS } from '../../../src/formats/encoded.ts';
import { encoder } from '../../../src/formats/encoder.ts';
import { keyJson, partitionKeyJson } from '../../../src/formats/item-key.ts';
import { plainItem, plainValue } from '../../../src/formats/plain-values.ts';
import type { AttributeValue, Item } from '../../../src/model/item.ts';
import { canonicalNumber, keyOf } from '../../../src/model/key.ts';
import { changeRecord, ODD_ATTRIBUTES, recordSource } from '../../fakes/records.ts';

const names = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'S', 'a.b', '"', ''));
const digits = (max: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: max });
const numbers = fc
  .tuple(fc.boolean(), digits(38), fc.option(digits(20)), fc.option(fc.integer({ min: -100, max: 80 })))
  .map(
    ([minus, whole, part, power]) => `${minus ? '-' : ''}${whole}${part === null ? '' : `.${part}`}${power === null ? '' : `E${power}`}`,
  );
const binary = fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes).toString('base64'));

const { item: items } = fc.letrec<{ value: AttributeValue; item: Item }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }).map(S => ({ S })),
    numbers.map(N => ({ N })),
    binary.map(B => ({ B })),
    fc.boolean().map(BOOL => ({ BOOL })),
    fc.constant({ NULL: true }),
    fc.array(fc.string(), { minLength: 1, maxLength: 4 }).map(SS => ({ SS })),
    fc.array(numbers, { minLength: 1, maxLength: 4 }).map(NS => ({ NS })),
    fc.array(binary, { minLength: 1, maxLength: 4 }).map(BS => ({ BS })),
    tie('item').map(M => ({ M })),
    fc.array(tie('value'), { maxLength: 4 }).map(L => ({ L })),
  ),
  item: fc.array(fc.tuple(names, tie('value')), { maxLength: 5 }).map(entries => Object.fromEntries(entries)),
}));

/** The plain value holds all of the typed one; the typed one says what it was. */
function holds(typed: AttributeValue, plain: unknown): boolean {
  if ('N' in typed) return canonicalNumber(String(plain)) === canonicalNumber(typed.N);
  if ('NS' in typed) return typed.NS.every((N, i) => holds({ N }, (plain as unknown[])[i]));
  if ('L' in typed) return Array.isArray(plain) && typed.L.length === plain.length && typed.L.every((value, i) => holds(value, plain[i]));
  if ('M' in typed) return holdsAll(typed.M, plain as object);
  if ('NULL' in typed) return plain === null;
  return JSON.stringify(Object.values(typed)[0]) === JSON.stringify(plain);
}

function holdsAll(typed: Item, plain: object): boolean {
  const shown = new Map(Object.entries(plain));
  return (
    shown.size === Object.keys(typed).length &&
    Object.entries(typed).every(([name, value]) => shown.has(name) && holds(value, shown.get(name)))
  );
}

const parsedPlain = (item: Item): object => JSON.parse(JSON.stringify(plainItem(item)));

describe('formats lose nothing', () => {
  it('plain values hold all of the typed ones, also as JSON text', () => {
    fc.assert(fc.property(items, item => holdsAll(item, parsedPlain(item))));
    expect(holdsAll(ODD_ATTRIBUTES, parsedPlain(ODD_ATTRIBUTES))).to.equal(true);
  });

  it('a number is a JSON number only if every reader of doubles gets the same', () => {
    const table: readonly (readonly [string, string | number])[] = [
      ['0', 0],
      ['-0', 0],
      ['42', 42],
      ['1.50', 1.5],
      ['007', 7],
      ['9007199254740992', 9007199254740992],
      ['9007199254740993', '9007199254740993'],
      ['0.1', 0.1],
      ['0.10000000000000000000000000000000000001', '0.10000000000000000000000000000000000001'],
      ['1.2345678901234567890123456789012345678', '1.2345678901234567890123456789012345678'],
      ['1e125', 1e125],
      ['-1E-130', -1e-130],
      ['12345678901234567890', '12345678901234567890'],
    ];
    for (const [text, plain] of table) expect(JSON.stringify(plainValue({ N: text })), text).to.equal(JSON.stringify(plain));
  });

  it('typed images pass every format unchanged, whatever their names', () => {
    fc.assert(
      fc.property(items, fc.constantFrom(...FORMATS), (attributes, format) => {
        const keys = { pk: { S: 'a' }, sk: { N: '1' } };
        const after = { ...attributes, ...keys };
        const { value } = encoder(format, { values: 'typed' })(changeRecord({ keys, after }));
        return value.includes(JSON.stringify(after)) && JSON.parse(value) !== null;
      }),
      { numRuns: 300 },
    );
  });

  it('nothing reaches a prototype', () => {
    const item = JSON.parse('{"__proto__":{"M":{"polluted":{"S":"yes"}}},"constructor":{"S":"c"}}') as Item;
    const plain = plainItem(item);
    expect(Object.getPrototypeOf(plain)).to.equal(Object.prototype);
    expect(JSON.stringify(plain)).to.equal('{"__proto__":{"polluted":"yes"},"constructor":"c"}');
    expect(({} as { polluted?: string }).polluted).to.equal(undefined);
  });
});

describe('keys as text', () => {
  const keyed = (pk: AttributeValue, sk?: AttributeValue) => {
    const source = recordSource({ keyNames: sk ? ['pk', 'sk'] : ['pk'] });
    return changeRecord({ source, keys: { ...(sk && { sk }), pk } });
  };

  it('hash attribute first, plain', () => {
    expect(keyJson(keyed({ S: 'a' }, { N: '1' }))).to.equal('{"pk":"a","sk":1}');
    expect(keyJson(keyed({ B: 'AQ==' }))).to.equal('{"pk":"AQ=="}');
    expect(partitionKeyJson(keyed({ S: 'a' }, { N: '1' }))).to.equal('{"pk":"a"}');
  });

  it('two items have one text exactly if they are one item', () => {
    const key = fc.oneof(
      fc.tuple(fc.string(), fc.string()).map(([a, b]) => keyed({ S: a }, { S: b })),
      fc.tuple(fc.string(), numbers).map(([a, b]) => keyed({ S: a }, { N: b })),
    );
    fc.assert(
      fc.property(key, key, (a, b) => {
        const kind = (record: typeof a) => Object.keys(record.keys['sk'] ?? {})[0];
        return kind(a) !== kind(b) || (keyJson(a) === keyJson(b)) === (a.key === b.key);
      }),
    );
  });

  it('one number has one text, however it was written', () => {
    for (const [a, b] of [
      ['1', '1.0'],
      ['1e2', '100'],
      ['123456789012345678901.0', '123456789012345678901'],
    ] as const) {
      const [one, other] = [keyed({ N: a }), keyed({ N: b })];
      expect(keyOf(one.keys, one.source.keyNames)).to.equal(keyOf(other.keys, other.source.keyNames));
      expect(keyJson(one)).to.equal(keyJson(other));
    }
  });

  it('a key attribute that is missing is said, also where a prototype has the name', () => {
    const source = recordSource({ keyNames: ['toString'] });
    expect(() => keyJson({ keys: {}, source })).to.throw('key attribute "toString" is missing');
  });
});
