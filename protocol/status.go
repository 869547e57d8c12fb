package protocol

// statuses gives each code of a problem its status. It is the only place that
// does.
var statuses = map[Code]int{
	CodeInvalidRequest:        400,
	CodeModelNotAllowed:       400,
	CodeModelNotCapable:       400,
	CodeUploadNotFound:        400,
	CodeUnauthenticated:       401,
	CodeForbidden:             403,
	CodeBlocked:               403,
	CodeNotFound:              404,
	CodeMethodNotAllowed:      405,
	CodeIdempotencyConflict:   409,
	CodePayloadTooLarge:       413,
	CodeQuotaExceeded:         429,
	CodeRateLimited:           429,
	CodeTooManyInFlight:       429,
	CodeInternal:              500,
	CodeUnavailable:           503,
	CodeServiceBudgetExceeded: 503,
}

// HTTPStatus is the status of a problem with this code; 500 for a code that is
// none of a problem.
func (c Code) HTTPStatus() int {
	if status, ok := statuses[c]; ok {
		return status
	}
	return 500
}

// ExposedHeaders are the headers of the REST API that a page of an allowed
// origin may read, as Access-Control-Expose-Headers lists them.
const ExposedHeaders = "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
