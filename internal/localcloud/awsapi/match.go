package awsapi

import "strings"

// MatchARN is IAM's ArnLike: it matches each of an ARN's six parts on its own: a wildcard does not
// reach over a colon before the resource part.
func MatchARN(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(patterns) != len(parts) {
		return false
	}
	for i := range parts {
		if !Glob(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}

// Glob matches * (any text) and ? (any one byte).
func Glob(pattern, text string) bool {
	star, retry := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			retry++
			p, t = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
