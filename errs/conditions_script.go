package errs

// Conditions of scripts.
var _ = register(map[string]Condition{
	"INVALID_SQLSTATE": {Invalid, ClassSpark, "428B3", "Invalid SQLSTATE value: '<sqlState>'. SQLSTATE must be exactly 5 characters long and contain only A-Z and 0-9. SQLSTATE must not start with '00', '01', or 'XX'."},
	"INVALID_VARIABLE_DECLARATION.NOT_ALLOWED_IN_SCOPE":                      {Invalid, ClassSpark, "42K0M", "Invalid variable declaration. Declaration of the variable <varName> is not allowed in this scope."},
	"INVALID_VARIABLE_DECLARATION.ONLY_AT_BEGINNING":                         {Invalid, ClassSpark, "42K0M", "Invalid variable declaration. Variable <varName> can only be declared at the beginning of the compound."},
	"INVALID_VARIABLE_DECLARATION.QUALIFIED_LOCAL_VARIABLE":                  {Invalid, ClassSpark, "42K0M", "Invalid variable declaration. The variable <varName> must be declared without a qualifier, as qualifiers are not allowed for local variable declarations."},
	"INVALID_VARIABLE_DECLARATION.REPLACE_LOCAL_VARIABLE":                    {Invalid, ClassSpark, "42K0M", "Invalid variable declaration. The variable <varName> does not support DECLARE OR REPLACE, as local variables cannot be replaced."},
	"UNSUPPORTED_FEATURE.CONTINUE_EXCEPTION_HANDLER":                         {Unsupported, ClassSpark, "0A000", "The feature is not supported: CONTINUE exception handler is not supported. Use EXIT handler."},
	"UNSUPPORTED_FEATURE.SQL_CURSOR":                                         {Unsupported, ClassSpark, "0A000", "The feature is not supported: SQL cursor operations (DECLARE CURSOR, OPEN, FETCH, CLOSE) are not supported."},
	"DUPLICATE_CONDITION_IN_SCOPE":                                           {Invalid, ClassSpark, "42734", "Found duplicate condition <condition> in the scope. Please, remove one of them."},
	"DUPLICATE_EXCEPTION_HANDLER.CONDITION":                                  {Invalid, ClassSpark, "42734", "Found duplicate handlers. Please, remove one of them. Found duplicate handlers for the same condition <condition>."},
	"DUPLICATE_EXCEPTION_HANDLER.SQLSTATE":                                   {Invalid, ClassSpark, "42734", "Found duplicate handlers. Please, remove one of them. Found duplicate handlers for the same SQLSTATE <sqlState>."},
	"END_LABEL_WITHOUT_BEGIN_LABEL":                                          {Invalid, ClassSpark, "42K0L", "End label <endLabel> can not exist without begin label."},
	"INVALID_ERROR_CONDITION_DECLARATION.NOT_AT_START_OF_COMPOUND_STATEMENT": {Invalid, ClassSpark, "42K0R", "Invalid condition declaration. Condition <conditionName> can only be declared at the start of a BEGIN END compound statement."},
	"INVALID_ERROR_CONDITION_DECLARATION.QUALIFIED_CONDITION_NAME":           {Invalid, ClassSpark, "42K0R", "Invalid condition declaration. Condition <conditionName> cannot be qualified."},
	"INVALID_ERROR_CONDITION_DECLARATION.SPECIAL_CHARACTER_FOUND":            {Invalid, ClassSpark, "42K0R", "Invalid condition declaration. Special character found in condition name <conditionName>. Only alphanumeric characters and underscores are allowed."},
	"INVALID_HANDLER_DECLARATION.CONDITION_NOT_FOUND":                        {Invalid, ClassSpark, "42K0Q", "Invalid handler declaration. Condition <condition> not found."},
	"INVALID_HANDLER_DECLARATION.DUPLICATE_CONDITION_IN_HANDLER_DECLARATION": {Invalid, ClassSpark, "42K0Q", "Invalid handler declaration. Found duplicate condition <condition> in the handler declaration. Please, remove one of them."},
	"INVALID_HANDLER_DECLARATION.DUPLICATE_SQLSTATE_IN_HANDLER_DECLARATION":  {Invalid, ClassSpark, "42K0Q", "Invalid handler declaration. Found duplicate sqlState <sqlState> in the handler declaration. Please, remove one of them."},
	"INVALID_HANDLER_DECLARATION.INVALID_CONDITION_COMBINATION":              {Invalid, ClassSpark, "42K0Q", "Invalid handler declaration. Invalid combination of conditions in the handler declaration. SQLEXCEPTION and NOT FOUND cannot be used together with other condition/sqlstate values."},
	"INVALID_HANDLER_DECLARATION.WRONG_PLACE_OF_DECLARATION":                 {Invalid, ClassSpark, "42K0Q", "Invalid handler declaration. Handlers must be declared after variable/condition/cursor declarations, and before other statements."},
	"LABELS_MISMATCH":                         {Invalid, ClassSpark, "42K0L", "Begin label <beginLabel> does not match the end label <endLabel>."},
	"LABEL_OR_FOR_VARIABLE_ALREADY_EXISTS":    {Invalid, ClassSpark, "42K0L", "The label or FOR variable <label> already exists. Choose another name or rename the existing one."},
	"LABEL_OR_FOR_VARIABLE_NAME_FORBIDDEN":    {Invalid, ClassSpark, "42K0L", "The label or FOR variable name <label> is forbidden."},
	"INVALID_LABEL_USAGE.ITERATE_IN_COMPOUND": {Invalid, ClassSpark, "42K0L", "The usage of the label <labelName> is invalid. ITERATE statement cannot be used with a label that belongs to a compound (BEGIN...END) body."},
})
