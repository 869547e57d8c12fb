package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// chunkItem says what its frames are only if they are not all pieces of text, as
// they were when there was nothing else.
func chunkItem(requestID, owner string, c life.Chunk) item {
	i := chunkKey(requestID, owner, c.FirstSeq)
	lengths := make([]types.AttributeValue, len(c.Lengths))
	for n, length := range c.Lengths {
		lengths[n] = number(int64(length))
	}
	i["firstSeq"] = number(int64(c.FirstSeq))
	i["lastSeq"] = number(int64(c.LastSeq()))
	i["lens"] = &types.AttributeValueMemberL{Value: lengths}
	i["text"] = text(c.Text)
	if c.Kinds != "" {
		i["kinds"] = text(c.Kinds)
	}
	i["outTokens"] = number(c.OutputTokens)
	return i
}

func readChunk(i item) life.Chunk {
	c := life.Chunk{
		FirstSeq:     int(getNumber(i, "firstSeq")),
		Text:         getText(i, "text"),
		Kinds:        getText(i, "kinds"),
		OutputTokens: getNumber(i, "outTokens"),
	}
	for _, v := range getList(i, "lens") {
		c.Lengths = append(c.Lengths, int(toNumber(v)))
	}
	return c
}
