package build

// Headers returns the headers that a host sends with every file of the page,
// beside its Policy: no guessing of types, no frame around the page, no address
// of it for others, no window or embedding shared with other origins, and none
// of the devices that it has no use for.
func Headers() map[string]string {
	return map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY", // for browsers without frame-ancestors
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	}
}
