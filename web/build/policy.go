package build

import "strings"

// Policy returns the content security policy for a page that talks to the given
// sources (origins such as https://api.example.com, or 'self') and to nothing
// else. It allows no inline script or style, no foreign resource and no policy
// of Trusted Types but the one by which DOMPurify cleans Markdown.
func Policy(connect ...string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' blob: data:",
		"connect-src " + strings.Join(connect, " "),
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types dompurify",
	}, "; ")
}
