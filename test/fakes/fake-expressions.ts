/**
 * DynamoDB's condition and filter expressions, as much of them as the house uses, with the service's exact meaning: OR, AND, NOT, comparisons, three
 * functions, document paths. What the service refuses (double parentheses, names or values that are not used) is refused here too.
 */
import type { AttributeValue, Item } from '../../src/model/item.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import { canonicalImage } from '../../src/replication/image.ts';
import { compareNumbers, compareText } from '../../src/replication/order.ts';

export interface Bound {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>>;
}

interface Scope extends Bound {
  readonly item: Item;
}

type Test = (scope: Scope) => boolean;
type Operand = (scope: Scope) => AttributeValue | undefined;

const parsed = new Map<string, Test>();

/** Whether an expression holds for an item; no item is an item without attributes. */
export function holds(expression: string | undefined, item: Item | undefined, bound: Bound): boolean {
  if (expression === undefined) return true;
  const found = parsed.get(expression) ?? new Parser(expression).whole();
  parsed.set(expression, found);
  return found({ item: item ?? {}, ...bound });
}

/** Names and values that no expression of the request mentions. */
export function checkUsed(expressions: readonly (string | undefined)[], bound: Bound): void {
  const used = new Set(expressions.flatMap(text => text?.match(/[#:]\w+/g) ?? []));
  for (const name of [...Object.keys(bound.ExpressionAttributeNames ?? {}), ...Object.keys(bound.ExpressionAttributeValues ?? {})]) {
    if (!used.has(name)) throw invalid(`Value provided in ExpressionAttributes unused in expressions: ${name}`);
  }
}

export function invalid(message: string): ServiceFault {
  return new ServiceFault('ValidationException', message, { class: 'invalid', status: 400 });
}

export function sameValue(a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  return a !== undefined && b !== undefined && canonicalImage({ a }) === canonicalImage({ a: b });
}

/** Undefined where the service compares to false: another type, or no order. */
function compared(a: AttributeValue | undefined, b: AttributeValue | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  if ('N' in a && 'N' in b) return compareNumbers(a.N, b.N);
  if ('S' in a && 'S' in b) return compareText(a.S, b.S);
  if ('B' in a && 'B' in b) return Buffer.compare(Buffer.from(a.B, 'base64'), Buffer.from(b.B, 'base64'));
  return undefined;
}

const COMPARISONS: Readonly<Record<string, (a: AttributeValue | undefined, b: AttributeValue | undefined) => boolean>> = {
  '=': sameValue,
  '<>': (a, b) => !sameValue(a, b),
  '<': (a, b) => (compared(a, b) ?? 0) < 0,
  '<=': (a, b) => (compared(a, b) ?? 1) <= 0,
  '>': (a, b) => (compared(a, b) ?? 0) > 0,
  '>=': (a, b) => (compared(a, b) ?? -1) >= 0,
};

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(expression: string) {
    this.#tokens = expression.match(/[#:]?\w+|<=|>=|<>|[().,<>=]/g) ?? [];
  }

  whole(): Test {
    const test = this.#either();
    if (this.#at < this.#tokens.length) throw invalid(`Invalid expression at ${this.#peek()}`);
    return test;
  }

  #either(): Test {
    const tests = [this.#all()];
    while (this.#take('OR')) tests.push(this.#all());
    return tests.length === 1 && tests[0] ? tests[0] : scope => tests.some(test => test(scope));
  }

  #all(): Test {
    const tests = [this.#one()];
    while (this.#take('AND')) tests.push(this.#one());
    return tests.length === 1 && tests[0] ? tests[0] : scope => tests.every(test => test(scope));
  }

  #one(): Test {
    if (this.#take('NOT')) {
      const test = this.#one();
      return scope => !test(scope);
    }
    if (this.#peek() === '(') return this.#group();
    const name = this.#peek();
    if (this.#tokens[this.#at + 1] === '(') return this.#call(name);
    const left = this.#operand();
    const comparison = COMPARISONS[this.#next()];
    if (!comparison) throw invalid('Invalid expression: a comparison was expected');
    const right = this.#operand();
    return scope => comparison(left(scope), right(scope));
  }

  #group(): Test {
    this.#expect('(');
    const double = this.#peek() === '(' ? this.#at : -1;
    const test = this.#either();
    if (double >= 0 && this.#closes(double)) throw invalid('Invalid expression: The expression has redundant parentheses;');
    this.#expect(')');
    return test;
  }

  /** Whether the group that opens there ends just before the current place: nothing stands beside it in its parentheses. */
  #closes(opens: number): boolean {
    let depth = 0;
    for (let i = opens; i < this.#at; i++) {
      if (this.#tokens[i] === '(') depth++;
      if (this.#tokens[i] === ')' && --depth === 0) return i === this.#at - 1;
    }
    return false;
  }

  #call(name: string | undefined): Test {
    this.#at++;
    this.#expect('(');
    const path = this.#operand();
    const more = this.#take(',') ? this.#operand() : undefined;
    this.#expect(')');
    if (name === 'attribute_exists') return scope => path(scope) !== undefined;
    if (name === 'attribute_not_exists') return scope => path(scope) === undefined;
    if (name === 'attribute_type' && more) return scope => hasType(path(scope), more(scope));
    if (name === 'begins_with' && more) return scope => beginsWith(path(scope), more(scope));
    throw invalid(`Invalid expression: function ${name} is not known here`);
  }

  #operand(): Operand {
    const first = this.#next();
    if (first.startsWith(':')) {
      return ({ ExpressionAttributeValues: values = {} }) => {
        if (!Object.hasOwn(values, first)) throw invalid(`An expression attribute value used in expression is not defined: ${first}`);
        return values[first];
      };
    }
    const path = [first];
    while (this.#take('.')) path.push(this.#next());
    return scope => valueAt(scope, path);
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }
  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw invalid('Invalid expression: it ends too early');
    return token;
  }
  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }
  #expect(token: string): void {
    if (!this.#take(token)) throw invalid(`Invalid expression: ${token} was expected instead of ${this.#peek()}`);
  }
}

function hasType(value: AttributeValue | undefined, type: AttributeValue | undefined): boolean {
  return value !== undefined && type !== undefined && 'S' in type && Object.hasOwn(value, type.S);
}

function beginsWith(value: AttributeValue | undefined, prefix: AttributeValue | undefined): boolean {
  return value !== undefined && prefix !== undefined && 'S' in value && 'S' in prefix && value.S.startsWith(prefix.S);
}

function valueAt({ item, ExpressionAttributeNames: names = {} }: Scope, path: readonly string[]): AttributeValue | undefined {
  let value: AttributeValue | undefined = { M: item };
  for (const part of path) {
    if (part.startsWith('#') && !Object.hasOwn(names, part)) {
      throw invalid(`An expression attribute name used in the document path is not defined: ${part}`);
    }
    const name: string = names[part] ?? part;
    if (value === undefined || !('M' in value)) return undefined;
    value = Object.hasOwn(value.M, name) ? value.M[name] : undefined;
  }
  return value;
}
