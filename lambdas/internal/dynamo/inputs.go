package dynamo

import (
	"encoding/json"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// inputItem is what the model is to be asked, packed where that saves units.
func inputItem(requestID, hash string, in life.Input) item {
	i := pack(inputAttributes(in))
	maps.Copy(i, inputKey(requestID, hash))
	i["v"] = number(protocol.Version)
	return i
}

// inputAttributes hold texts and bytes natively: encoded as JSON, a body of the
// largest size could outgrow an item. What is JSON already stays what it is.
func inputAttributes(in life.Input) item {
	messages := make([]types.AttributeValue, len(in.Messages))
	for n, m := range in.Messages {
		messages[n] = &types.AttributeValueMemberM{Value: messageItem(m)}
	}
	i := item{
		"messages": &types.AttributeValueMemberL{Value: messages},
		"system":   texts(in.System),
		"stop":     texts(in.StopSequences),
	}
	if len(in.Tools) > 0 {
		i["tools"] = toolList(in.Tools)
	}
	if in.ToolChoice != nil {
		i["toolChoice"] = text(string(protocol.Encode(in.ToolChoice)))
	}
	if in.Effort != "" {
		i["effort"] = text(in.Effort)
	}
	if in.Cache {
		i["cache"] = boolean(true)
	}
	if in.UploadBytes > 0 {
		i["uploadBytes"] = number(in.UploadBytes)
	}
	return i
}

func readInput(i item) (life.Input, error) {
	i, err := unpack(i)
	if err != nil {
		return life.Input{}, err
	}
	in := life.Input{
		System: readTexts(i, "system"), StopSequences: readTexts(i, "stop"), Effort: getText(i, "effort"), Cache: getBoolean(i, "cache"),
		UploadBytes: getNumber(i, "uploadBytes"),
	}
	for _, v := range getList(i, "messages") {
		if m, ok := v.(*types.AttributeValueMemberM); ok {
			in.Messages = append(in.Messages, readMessage(m.Value))
		}
	}
	for _, v := range getList(i, "tools") {
		if tool, ok := v.(*types.AttributeValueMemberM); ok {
			in.Tools = append(in.Tools, protocol.Tool{
				Name: getText(tool.Value, "name"), Description: getText(tool.Value, "description"), InputSchema: rawJSON(tool.Value, "schema"),
			})
		}
	}
	_ = json.Unmarshal([]byte(getText(i, "toolChoice")), &in.ToolChoice) // what this code has written decodes
	return in, nil
}

func toolList(tools []protocol.Tool) types.AttributeValue {
	list := make([]types.AttributeValue, len(tools))
	for n, tool := range tools {
		i := item{"name": text(tool.Name), "schema": text(string(tool.InputSchema))}
		if tool.Description != "" {
			i["description"] = text(tool.Description)
		}
		list[n] = &types.AttributeValueMemberM{Value: i}
	}
	return &types.AttributeValueMemberL{Value: list}
}

// messageItem is a text, or blocks.
func messageItem(m protocol.Message) item {
	if m.Blocks == nil {
		return item{"role": text(m.Role), "content": text(m.Content)}
	}
	return item{"role": text(m.Role), "blocks": blockList(m.Blocks)}
}

func readMessage(i item) protocol.Message {
	return protocol.Message{Role: getText(i, "role"), Content: getText(i, "content"), Blocks: readBlocks(i, "blocks")}
}

func blockList(blocks []protocol.Block) types.AttributeValue {
	list := make([]types.AttributeValue, len(blocks))
	for n, b := range blocks {
		list[n] = &types.AttributeValueMemberM{Value: blockItem(b)}
	}
	return &types.AttributeValueMemberL{Value: list}
}

// blockItem has what a block has, under the names of the wire.
func blockItem(b protocol.Block) item {
	i := item{"type": text(string(b.Type))}
	for name, value := range map[string]string{
		"text": b.Text, "signature": b.Signature, "toolUseId": b.ToolUseID, "format": b.Format, "name": b.Name,
		"uploadId": b.UploadID, "input": string(b.Input), "status": b.Status, "json": string(b.JSON),
	} {
		if value != "" {
			i[name] = text(value)
		}
	}
	for name, value := range map[string][]byte{"data": b.Data, "redacted": b.Redacted} {
		if value != nil {
			i[name] = &types.AttributeValueMemberB{Value: value}
		}
	}
	if b.Content != nil {
		i["content"] = blockList(b.Content)
	}
	return i
}

func readBlocks(i item, name string) []protocol.Block {
	var blocks []protocol.Block
	for _, v := range getList(i, name) {
		m, ok := v.(*types.AttributeValueMemberM)
		if !ok {
			continue
		}
		b := m.Value
		blocks = append(blocks, protocol.Block{
			Type: protocol.BlockType(getText(b, "type")), Text: getText(b, "text"), Signature: getText(b, "signature"), Redacted: getBytes(b, "redacted"),
			ToolUseID: getText(b, "toolUseId"), Format: getText(b, "format"), Name: getText(b, "name"), Data: getBytes(b, "data"),
			UploadID: getText(b, "uploadId"), Input: rawJSON(b, "input"), Status: getText(b, "status"),
			Content: readBlocks(b, "content"), JSON: rawJSON(b, "json"),
		})
	}
	return blocks
}

func rawJSON(i item, name string) json.RawMessage {
	if s := getText(i, name); s != "" {
		return json.RawMessage(s)
	}
	return nil
}
