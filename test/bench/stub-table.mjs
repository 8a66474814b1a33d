/** A table that takes everything, in a process of its own, so that only the client is measured. */
import { createServer } from 'node:http';

const describe = ({ TableName }) => {
  const names = TableName.endsWith('-tombstones') ? ['key'] : ['pk', 'sk'];
  return {
    Table: {
      TableName,
      TableArn: `arn:aws:dynamodb:us-east-1:1:table/${TableName}`,
      TableStatus: 'ACTIVE',
      KeySchema: names.map((AttributeName, i) => ({ AttributeName, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
      AttributeDefinitions: names.map(AttributeName => ({ AttributeName, AttributeType: 'S' })),
    },
  };
};

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', chunk => chunks.push(chunk));
  request.on('end', () => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1);
    const body = () => JSON.parse(Buffer.concat(chunks).toString());
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    if (operation === 'DescribeTable') return response.end(JSON.stringify(describe(body())));
    if (operation === 'DescribeTimeToLive') return response.end('{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED"}}');
    if (operation === 'Scan') return response.end('{"Items":[]}');
    if (operation === 'BatchExecuteStatement') return response.end(JSON.stringify({ Responses: body().Statements.map(() => ({})) }));
    response.end('{}');
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
