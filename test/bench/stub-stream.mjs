/** A stream of canned pages in a process of its own, so that only the client is measured: GetRecords answers page after page of 1,000 records, then the end. */
import { createServer } from 'node:http';

const PAGES = Number(process.argv[2]);
const RECORDS = 1000;
const image = n => ({
  pk: { S: `customer-${n % 5000}` },
  sk: { S: `order-${n % 4}` },
  ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`attribute${i}`, { S: 'x'.repeat(30) }])),
  total: { N: `${n}.25` },
});
const record = n => ({
  eventID: `event-${n}`,
  eventName: 'MODIFY',
  eventVersion: '1.1',
  eventSource: 'aws:dynamodb',
  awsRegion: 'us-east-1',
  dynamodb: {
    ApproximateCreationDateTime: 1764072000,
    Keys: { pk: image(n).pk, sk: image(n).sk },
    NewImage: image(n),
    OldImage: image(n),
    SequenceNumber: String(n).padStart(21, '0'),
    SizeBytes: 900,
    StreamViewType: 'NEW_AND_OLD_IMAGES',
  },
});
const pages = Array.from({ length: PAGES }, (_, page) =>
  JSON.stringify(Array.from({ length: RECORDS }, (_, i) => record(page * RECORDS + i + 1))),
);

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', chunk => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    const operation = String(request.headers['x-amz-target']).split('.').at(-1);
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    if (operation === 'GetShardIterator') return response.end('{"ShardIterator":"0"}');
    if (operation !== 'GetRecords') return response.end('{}');
    const page = Number(body.ShardIterator);
    const next = page + 1 < PAGES ? `,"NextShardIterator":"${page + 1}"` : '';
    response.end(`{"Records":${pages[page] ?? '[]'}${next}}`);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
