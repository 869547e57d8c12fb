package bedrock

// TextOf is how pieces of text are read without the SDK.
var TextOf = textOf
