// A StreamingService in TypeScript. Once, to get the provider and to make its
// SDK in sdks/streaming-service-streaming:
//   pulumi package add github.com/streaming-service/streaming-service.git/cmd/pulumi-resource-streaming
import * as streaming from "@streaming-service/streaming";

const chat = new streaming.StreamingService("chat", {
    quota: {
        monthlyRequests: 100,
        monthlyTokens: 200_000,
        tiers: { pro: { monthlyRequests: 5_000, monthlyTokens: 10_000_000 } },
    },
    auth: { selfSignUp: true, allowedOrigins: ["https://app.example.com"] },
    protection: { deletionProtection: false },
});

export const restUrl = chat.restUrl;
export const webSocketUrl = chat.webSocketUrl;
export const userPoolId = chat.userPoolId;
export const userPoolClientId = chat.userPoolClientId;
