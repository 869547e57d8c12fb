package openai

import "github.com/streaming-service/streaming-service/protocol"

type modelList struct {
	Object string      `json:"object"`
	Data   []modelData `json:"data"`
}

type modelData struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// Models is the body of GET /models: the ids that a request may name. Their
// created is 0, since Bedrock tells nobody when a model was made.
func Models(ids []string) []byte {
	list := modelList{Object: "list", Data: make([]modelData, len(ids))}
	for i, id := range ids {
		list.Data[i] = modelData{ID: id, Object: "model", OwnedBy: "bedrock"}
	}
	return protocol.Encode(list)
}
