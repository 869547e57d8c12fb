package usage

import "bytes"

const idLength = 26 // base32 of 16 bytes

type foundID struct {
	text    string
	certain bool // it stands where only a request id can
}

// findIDs finds the words of 26 characters of a-z and 2-7 in body, each once.
func findIDs(body []byte) []foundID {
	var found []foundID
	start := -1
	for i := 0; i <= len(body); i++ {
		if i < len(body) && inWord(body[i]) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 && i-start == idLength && isID(body[start:i]) {
			found = appendOnce(found, foundID{string(body[start:i]), isCertain(body[:start])})
		}
		start = -1
	}
	return found
}

func appendOnce(found []foundID, id foundID) []foundID {
	for i := range found {
		if found[i].text == id.text {
			found[i].certain = found[i].certain || id.certain
			return found
		}
	}
	return append(found, id)
}

// isCertain recognises the key r#<id> and the member "requestId":"<id>", the
// latter also as text within JSON.
func isCertain(before []byte) bool {
	if bytes.HasSuffix(before, []byte("r#")) {
		return true
	}
	tail := before[max(0, len(before)-32):]
	tail = bytes.ReplaceAll(bytes.ReplaceAll(tail, []byte(`\`), nil), []byte(" "), nil)
	return bytes.HasSuffix(tail, []byte(`"requestId":"`))
}

func inWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c == '_' || c == '-'
}

func isID(word []byte) bool {
	for _, c := range word {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
