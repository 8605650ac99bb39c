package greeting

import _ "embed"

const Text = "v1"

//go:embed footer.txt
var Footer string
