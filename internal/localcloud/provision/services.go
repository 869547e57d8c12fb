package provision

type Services struct{}
