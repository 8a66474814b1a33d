/**
 * DynamoDB tables, as the house needs them: the service's JSON, both ways, with items as they stand on the wire (binary is base64 text).
 * Two adapters implement it: `fast` (our own thin client for the hot path) and `sdk` (the AWS SDK); both pass one contract suite.
 */
import type { AttributeValue, Item } from '../model/item.ts';

/** How an AWS client is opened; everything is optional and falls back to the ordinary AWS chain. */
export interface AwsOptions {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string | undefined }
    | undefined;
  readonly roleArn?: string | undefined;
  readonly externalId?: string | undefined;
  readonly client?: 'fast' | 'sdk' | undefined;
}

interface Conditional {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>>;
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE';
}
export interface PutItem extends Conditional {
  readonly TableName: string;
  readonly Item: Item;
  readonly ReturnValues?: 'ALL_OLD' | 'NONE';
}
export interface DeleteItem extends Conditional {
  readonly TableName: string;
  readonly Key: Item;
  readonly ReturnValues?: 'ALL_OLD' | 'NONE';
}
export interface UpdateItem extends Conditional {
  readonly TableName: string;
  readonly Key: Item;
  readonly UpdateExpression: string;
  readonly ReturnValues?: 'ALL_OLD' | 'ALL_NEW' | 'UPDATED_NEW' | 'NONE';
}
export interface ConditionCheck extends Conditional {
  readonly TableName: string;
  readonly Key: Item;
  readonly ConditionExpression: string;
}
export interface GetItem {
  readonly TableName: string;
  readonly Key: Item;
  readonly ConsistentRead?: boolean;
  readonly ProjectionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
}
export interface Scan {
  readonly TableName: string;
  readonly ConsistentRead?: boolean;
  readonly ExclusiveStartKey?: Item;
  readonly FilterExpression?: string;
  readonly ProjectionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>>;
  readonly Limit?: number;
}
export interface Query extends Scan {
  readonly KeyConditionExpression: string;
  readonly ScanIndexForward?: boolean;
}
export type WriteRequest = { readonly PutRequest: { readonly Item: Item } } | { readonly DeleteRequest: { readonly Key: Item } };
export interface Statement {
  readonly Statement: string;
  readonly Parameters?: readonly AttributeValue[];
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE';
}
export interface StatementError {
  readonly Code: string;
  readonly Message: string;
  readonly Item?: Item;
}
export interface KeysAndAttributes {
  readonly Keys: readonly Item[];
  readonly ConsistentRead?: boolean;
}
export type TransactWrite =
  | { readonly Put: Omit<PutItem, 'ReturnValues'> }
  | { readonly Delete: Omit<DeleteItem, 'ReturnValues'> }
  | { readonly Update: Omit<UpdateItem, 'ReturnValues'> }
  | { readonly ConditionCheck: ConditionCheck };
export interface TableDescription {
  readonly TableName: string;
  readonly TableArn: string;
  readonly TableId?: string;
  readonly TableStatus: string;
  readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: 'HASH' | 'RANGE' }[];
  readonly AttributeDefinitions: readonly { readonly AttributeName: string; readonly AttributeType: 'S' | 'N' | 'B' }[];
  readonly LatestStreamArn?: string;
  readonly LatestStreamLabel?: string;
  readonly StreamSpecification?: { readonly StreamEnabled: boolean; readonly StreamViewType?: string };
}

/** Operation -> [request, answer], named and shaped as the service's. */
export interface TableOperations {
  PutItem: [PutItem, { readonly Attributes?: Item }];
  DeleteItem: [DeleteItem, { readonly Attributes?: Item }];
  UpdateItem: [UpdateItem, { readonly Attributes?: Item }];
  GetItem: [GetItem, { readonly Item?: Item }];
  Scan: [Scan, { readonly Items: readonly Item[]; readonly LastEvaluatedKey?: Item }];
  Query: [Query, { readonly Items: readonly Item[]; readonly LastEvaluatedKey?: Item }];
  BatchGetItem: [
    { readonly RequestItems: Readonly<Record<string, KeysAndAttributes>> },
    {
      readonly Responses: Readonly<Record<string, readonly Item[]>>;
      readonly UnprocessedKeys?: Readonly<Record<string, KeysAndAttributes>>;
    },
  ];
  BatchWriteItem: [
    { readonly RequestItems: Readonly<Record<string, readonly WriteRequest[]>> },
    { readonly UnprocessedItems?: Readonly<Record<string, readonly WriteRequest[]>> },
  ];
  BatchExecuteStatement: [
    { readonly Statements: readonly Statement[] },
    { readonly Responses: readonly { readonly Error?: StatementError; readonly Item?: Item; readonly TableName?: string }[] },
  ];
  TransactWriteItems: [{ readonly TransactItems: readonly TransactWrite[]; readonly ClientRequestToken?: string }, object];
  DescribeTable: [{ readonly TableName: string }, { readonly Table: TableDescription }];
  CreateTable: [
    {
      readonly TableName: string;
      readonly KeySchema: TableDescription['KeySchema'];
      readonly AttributeDefinitions: TableDescription['AttributeDefinitions'];
      readonly BillingMode: 'PAY_PER_REQUEST';
    },
    object,
  ];
  UpdateTable: [
    { readonly TableName: string; readonly StreamSpecification: { readonly StreamEnabled: true; readonly StreamViewType: string } },
    object,
  ];
  DescribeTimeToLive: [{ readonly TableName: string }, { readonly TimeToLiveDescription?: { readonly TimeToLiveStatus?: string } }];
  UpdateTimeToLive: [
    { readonly TableName: string; readonly TimeToLiveSpecification: { readonly Enabled: true; readonly AttributeName: string } },
    object,
  ];
}

export interface TableApi {
  /** One attempt, no hidden retries. A refusal is thrown as ServiceFault. After an abort it settles when the connection has been destroyed. */
  call<Name extends keyof TableOperations>(
    name: Name,
    request: TableOperations[Name][0],
    signal: AbortSignal,
  ): Promise<TableOperations[Name][1]>;
}
