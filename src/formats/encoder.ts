/** One encoder for every format that a settings file may name. Pure: the same record and options give the same text. */
import type { ChangeRecord } from '../model/change-record.ts';
import { exportLine, kdsRecord, lambdaRecord, type TextOf } from './aws-shapes.ts';
import { binaryHeaders, structuredEvent } from './cloud-event.ts';
import { debeziumEnvelope } from './debezium.ts';
import type { Encoded, Encoder, EncoderOptions, Format, ImageText } from './encoded.ts';
import { keyJson } from './item-key.ts';
import { plainJson } from './plain-json.ts';

const JSON_TYPE = 'application/json';
const CLOUD_EVENT_TYPE = 'application/cloudevents+json; charset=UTF-8';

const typedText: ImageText = image => (image === undefined ? 'null' : JSON.stringify(image));
const plainText: ImageText = image => (image === undefined ? 'null' : plainJson(image));

export function encoder(format: Format, options: EncoderOptions = {}): Encoder {
  const nowMs = (record: ChangeRecord) => options.now?.() ?? record.changedAt;
  const image = options.values === 'plain' ? plainText : typedText;
  switch (format) {
    case 'lambda':
      return json(lambdaRecord);
    case 'kds':
      return json(kdsRecord);
    case 'dynamodb-json':
      return json(exportLine);
    case 'debezium':
      return json(record => debeziumEnvelope(record, { image, nowMs: nowMs(record) }));
    case 'json':
      return json(record => plainChange(record, options.values === 'typed' ? typedText : plainText));
    case 'cloudevents':
      return options.binary ? binaryEvent : event;
  }
}

function json(text: TextOf): Encoder {
  return record => ({ value: text(record), key: keyJson(record), headers: eventHeaders(record), contentType: JSON_TYPE });
}

const eventHeaders = (record: ChangeRecord): Readonly<Record<string, string>> => ({ eventID: record.eventId });

/** Plain values, one flat envelope. */
function plainChange(record: ChangeRecord, image: ImageText): string {
  const about = JSON.stringify({
    eventID: record.eventId,
    eventName: record.eventName,
    table: record.source.table,
    region: record.source.region,
    changedAt: record.changedAt,
    sequenceNumber: record.token,
  });
  return `${about.slice(0, -1)},"keys":${image(record.keys)},"before":${image(record.before)},"after":${image(record.after)}}`;
}

const event: Encoder = (record): Encoded => {
  const key = keyJson(record);
  return {
    value: structuredEvent(record, key, lambdaRecord(record)),
    key,
    headers: eventHeaders(record),
    contentType: CLOUD_EVENT_TYPE,
  };
};

const binaryEvent: Encoder = (record): Encoded => {
  const key = keyJson(record);
  return { value: lambdaRecord(record), key, headers: { ...eventHeaders(record), ...binaryHeaders(record, key) }, contentType: JSON_TYPE };
};
