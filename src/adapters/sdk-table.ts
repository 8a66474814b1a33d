/** The SDK twin of `TableApi`: the reference that the fast one is held against, and the fallback (`client: sdk`). */
import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { AwsOptions, TableApi, TableOperations } from '../ports/table-api.ts';
import { type SdkSource, sdkCall, sdkSettings } from './sdk-call.ts';
import { toSdk } from './sdk-wire.ts';

const COMMANDS: Readonly<Record<keyof TableOperations, new (request: never) => object>> = {
  PutItem: PutItemCommand,
  DeleteItem: DeleteItemCommand,
  UpdateItem: UpdateItemCommand,
  GetItem: GetItemCommand,
  Scan: ScanCommand,
  Query: QueryCommand,
  BatchGetItem: BatchGetItemCommand,
  BatchWriteItem: BatchWriteItemCommand,
  BatchExecuteStatement: BatchExecuteStatementCommand,
  TransactWriteItems: TransactWriteItemsCommand,
  DescribeTable: DescribeTableCommand,
  CreateTable: CreateTableCommand,
  UpdateTable: UpdateTableCommand,
  DescribeTimeToLive: DescribeTimeToLiveCommand,
  UpdateTimeToLive: UpdateTimeToLiveCommand,
};

export function sdkTable(options: AwsOptions, { keeper, clock }: SdkSource): TableApi & { close(): void } {
  const client = new DynamoDBClient({ ...sdkSettings(options, keeper), accountIdEndpointMode: 'disabled' });
  return {
    async call(name, request, signal) {
      const command = new COMMANDS[name](toSdk(request) as never);
      return (await sdkCall(command, { client, keeper, clock }, signal)).json as never;
    },
    close: () => client.destroy(),
  };
}
