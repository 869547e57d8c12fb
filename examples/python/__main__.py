"""A StreamingService in Python.

Once, to get the provider and to make its SDK in sdks/streaming-service-streaming:
  pulumi package add github.com/streaming-service/streaming-service.git/cmd/pulumi-resource-streaming
"""

import pulumi
import streaming_service_streaming as streaming

chat = streaming.StreamingService(
    "chat",
    quota=streaming.QuotaSettingsArgs(
        monthly_requests=100,
        monthly_tokens=200_000,
        tiers={"pro": streaming.TierSettingsArgs(monthly_requests=5_000, monthly_tokens=10_000_000)},
    ),
    auth=streaming.AuthSettingsArgs(self_sign_up=True, allowed_origins=["https://app.example.com"]),
    protection=streaming.ProtectionSettingsArgs(deletion_protection=False),
)

pulumi.export("restUrl", chat.rest_url)
pulumi.export("webSocketUrl", chat.web_socket_url)
pulumi.export("userPoolId", chat.user_pool_id)
pulumi.export("userPoolClientId", chat.user_pool_client_id)
