/** One encoder for every format that a settings file may name. Pure: the same record and options give the same text. */
import type { ChangeRecord } from '../model/change-record.ts';
import type { Item } from '../model/item.ts';
import { cloudEventAttributes, cloudEventHeaders } from './cloud-event.ts';
import { debeziumEnvelope } from './debezium-envelope.ts';
import type { Encoder, EncoderOptions, Format } from './encoded.ts';
import { exportLine } from './export-line.ts';
import { keyJson } from './item-key.ts';
import { kdsRecord } from './kds-record.ts';
import { lambdaEvent, type ShowItem } from './lambda-event.ts';
import { plainChange } from './plain-change.ts';
import { plainItem } from './plain-values.ts';

const JSON_TYPE = 'application/json';
const CLOUD_EVENT_TYPE = 'application/cloudevents+json; charset=UTF-8';

const typedItem = (item: Item): Item => item;

export function encoder(format: Format, options: EncoderOptions = {}): Encoder {
  const { values = format === 'json' ? 'plain' : 'typed', name = 'tidemark', now } = options;
  const show: ShowItem = values === 'plain' ? plainItem : typedItem;
  switch (format) {
    case 'lambda':
      return asJson(record => JSON.stringify(lambdaEvent(record, show)));
    case 'kds':
      return asJson(record => JSON.stringify(kdsRecord(record, show)));
    case 'dynamodb-json':
      return asJson(record => JSON.stringify(exportLine(record)));
    case 'debezium':
      return asJson(record => debeziumEnvelope(record, { show, name, now: now?.() ?? record.changedAt }));
    case 'json':
      return asJson(record => JSON.stringify(plainChange(record, show)));
    case 'cloudevents':
      return options.binary ? binaryEvent(show) : structuredEvent(show);
  }
}

function asJson(text: (record: ChangeRecord) => string): Encoder {
  return (record, traceparent) => ({
    value: text(record),
    key: keyJson(record),
    headers: headersOf(record, traceparent),
    contentType: JSON_TYPE,
  });
}

function structuredEvent(show: ShowItem): Encoder {
  return (record, traceparent) => {
    const key = keyJson(record);
    const event = { ...cloudEventAttributes(record, key, traceparent), datacontenttype: JSON_TYPE, data: lambdaEvent(record, show) };
    return { value: JSON.stringify(event), key, headers: headersOf(record, traceparent), contentType: CLOUD_EVENT_TYPE };
  };
}

/** The id is among the attributes; `eventID` is there all the same, so that readers of any format find it in one place. */
function binaryEvent(show: ShowItem): Encoder {
  return (record, traceparent) => {
    const key = keyJson(record);
    const headers = { ...headersOf(record, traceparent), ...cloudEventHeaders(record, key, traceparent) };
    return { value: JSON.stringify(lambdaEvent(record, show)), key, headers, contentType: JSON_TYPE };
  };
}

function headersOf({ eventId }: ChangeRecord, traceparent: string | undefined): Readonly<Record<string, string>> {
  return traceparent === undefined ? { eventID: eventId } : { eventID: eventId, traceparent };
}
