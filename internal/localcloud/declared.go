package localcloud

// Declared returns what each service holds, by the name of the service, whoever
// declared it. Services that hold nothing are left out.
func (c *Cloud) Declared() map[string][]string {
	s := c.services
	declared := map[string][]string{}
	for name, service := range map[string]interface{ Declared() []string }{
		"iam": s.roles, "dynamodb": s.tables, "sqs": s.queues, "s3": s.buckets, "cloudfront": s.sites, "lambda": s.functions,
		"cognito": s.users, "rest": s.rest, "websocket": s.sockets,
	} {
		if names := service.Declared(); len(names) > 0 {
			declared[name] = names
		}
	}
	return declared
}
