package errs

// Conditions that operators and Arrow conversion raise.
var _ = register(map[string]Condition{
	"UNSUPPORTED_ARROWTYPE": {Unsupported, ClassUnsupported, "0A000", "Unsupported arrow type <typeName>."},
})
