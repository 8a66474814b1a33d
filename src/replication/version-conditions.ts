/**
 * The conditions of mode `version`, as the service evaluates them: an exact image of `compareVersions`, with the one thing that cannot be compared left
 * to the regions' names: an item that an application wrote in the replica's own region has no stamp, so at the same version the greater name wins.
 */
import type { AttributeValue } from '../model/item.ts';
import type { KeyNames } from '../model/key.ts';
import type { VersionAttribute } from './version-attribute.ts';
import type { Condition, Rules, Version } from './versions.ts';

export interface VersionOptions {
  readonly attribute: VersionAttribute;
  readonly stampAttribute: string;
  /** What decides between two regions: the name of the one that is read, and of the one that is written. */
  readonly from: string;
  readonly to: string;
}

type Parts = Pick<Rules, 'putIf' | 'removeIf' | 'removeAgainIf' | 'tombstoneIf' | 'noTombstoneIf'>;

export function versionConditions(options: VersionOptions): Parts {
  const removeIf = (version: Version) => removal(version, options);
  return {
    putIf: (version, keyNames) => put(version, keyNames, options),
    removeIf,
    removeAgainIf: removeIf,
    tombstoneIf: raised,
    noTombstoneIf: absentOrLower,
  };
}

function put(version: Version, keyNames: KeyNames, { attribute, stampAttribute, to, from }: VersionOptions): Condition {
  const { v, o = from, s } = version;
  const lower = v === undefined ? '' : lowerThan(attribute.missing === 'lowest');
  const sameVersion = v === undefined ? 'attribute_not_exists(#v)' : '#v = :v';
  const markerFits = v === undefined ? 'attribute_exists(#tm.#s) AND attribute_not_exists(#tm.#tv)' : '#tm.#tv = #v';
  const replicatedEarlier = `${markerFits} AND (#tm.#o < :o OR (#tm.#o = :o AND #tm.#s < :s))`;
  const writtenHere =
    v === undefined ? `attribute_not_exists(#tm.#s) OR attribute_exists(#tm.#tv)` : `attribute_not_exists(#tm) OR (NOT #tm.#tv = #v)`;
  const tie = to < o ? `${sameVersion} AND ((${replicatedEarlier}) OR ${writtenHere})` : `${sameVersion} AND ${replicatedEarlier}`;
  return {
    ConditionExpression: `attribute_not_exists(#pk) OR ${lower}(${tie})`,
    ExpressionAttributeNames: { '#pk': keyNames[0], '#v': attribute.name, '#tm': stampAttribute, '#tv': 'v', '#o': 'o', '#s': 's' },
    ExpressionAttributeValues: { ':o': { S: o }, ':s': { S: s }, ...(v && { ':v': v }) },
  };
}

/** Where an item without the attribute counts as the lowest, it is lower than any that has it. */
function lowerThan(missingIsLowest: boolean): string {
  return missingIsLowest ? '#v < :v OR attribute_not_exists(#v) OR ' : '#v < :v OR ';
}

function removal({ v }: Version, { attribute }: VersionOptions): Condition {
  const ExpressionAttributeNames = { '#v': attribute.name };
  if (v === undefined) return { ConditionExpression: 'attribute_not_exists(#v)', ExpressionAttributeNames };
  const missing = attribute.missing === 'lowest' ? ' OR attribute_not_exists(#v)' : '';
  return { ConditionExpression: `#v <= :v${missing}`, ExpressionAttributeNames, ExpressionAttributeValues: { ':v': v } };
}

/** A tombstone without `v` is of mode mirror (another writer's, hence older) or of an item that had no version: lower than any that has one. */
function raised({ v, o = '', s }: Version): Condition {
  const later = '(#o < :o OR (#o = :o AND #s < :s))';
  const values: Record<string, AttributeValue> = { ':o': { S: o }, ':s': { S: s } };
  if (v === undefined) {
    return {
      ConditionExpression: `attribute_not_exists(#k) OR attribute_exists(#p) OR (attribute_not_exists(#v) AND ${later})`,
      ExpressionAttributeNames: { '#k': 'key', '#p': 'p', '#v': 'v', '#o': 'o', '#s': 's' },
      ExpressionAttributeValues: values,
    };
  }
  return {
    ConditionExpression: `attribute_not_exists(#v) OR #v < :v OR (#v = :v AND ${later})`,
    ExpressionAttributeNames: { '#v': 'v', '#o': 'o', '#s': 's' },
    ExpressionAttributeValues: { ...values, ':v': v },
  };
}

/** A removal beats a put of the same version. */
function absentOrLower({ v }: Version): Condition {
  if (v === undefined) {
    return {
      ConditionExpression: 'attribute_not_exists(#k) OR attribute_exists(#p)',
      ExpressionAttributeNames: { '#k': 'key', '#p': 'p' },
    };
  }
  return {
    ConditionExpression: 'attribute_not_exists(#v) OR #v < :v',
    ExpressionAttributeNames: { '#v': 'v' },
    ExpressionAttributeValues: { ':v': v },
  };
}
