package dynamo

// Pack is how the attributes of an input become an item.
var Pack = pack
