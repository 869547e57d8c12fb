// What a processor for Node.js would do before its first event: load the AWS
// clients, make them, and ask for the event.
import http from "node:http";
import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";

const region = process.env.AWS_REGION;
const clients = [
  new DynamoDBClient({ region }),
  new SQSClient({ region }),
  new BedrockRuntimeClient({ region }),
  new ApiGatewayManagementApiClient({ region, endpoint: process.env.WEBSOCKET_API_ENDPOINT }),
];

http.get(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next`, () => clients.length);
