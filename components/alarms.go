package components

func (b *build) newAlarms() error { return nil }
